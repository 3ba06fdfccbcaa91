/** A hub with an ApplicationSet over clusters whose agents are played: what they hold is read, what they say is ingested. */
import { ApplicationStatus, Assignment, Report } from '@muster/proto';
import type { Rollout, Target } from '@muster/rollout';
import { expect } from 'vitest';
import { type TestHub, startTestHub } from '../applications/pipeline.fixture.ts';
import { SessionsRegistry } from '../clusters/sessions-registry.ts';
import { Outbox } from '../queue/outbox.ts';
import { ReportIngest } from '../status/report-ingest.ts';
import { RolloutClock } from './rollout-clock.ts';
import { RolloutTriggers } from './rollout-triggers.service.ts';

export interface Held {
  digest: string | null;
  bundle: string | null;
  epoch: bigint;
  generation: bigint;
}

/** Played agents, and the hub's clock in the test's hands. */
export class RolloutFixture {
  readonly hub: TestHub;
  #offset = 0;
  readonly #sessions = new Map<string, { id: string; session: string; sequence: bigint }>();

  constructor(hub: TestHub) {
    this.hub = hub;
    this.get(RolloutClock).now = () => Date.now() + this.#offset;
  }

  static async start(folder: string, env: Record<string, string> = {}): Promise<RolloutFixture> {
    return new RolloutFixture(await startTestHub(folder, { MUSTER_LEASE_SECONDS: '3600', ...env }));
  }

  get<T>(token: new (...args: never[]) => T): T {
    return this.hub.running.app.get<T>(token as never, { strict: false });
  }

  get db() {
    return this.hub.db;
  }

  /** `web-NAME` in each of the clusters, healthy at a first commit. */
  async first(names: readonly string[]): Promise<void> {
    this.hub.commit({ 'web/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n' }, 'first');
    await this.everywhere(names);
  }

  /** The same at what is committed already. */
  async everywhere(names: readonly string[]): Promise<void> {
    await this.hub.apply([setOverClusters(this.hub, {})]);
    for (const name of names) await this.hub.assignment(name, `web-${name}`);
    for (const name of names) await this.report(name);
  }

  /** Commits what all clusters get, and waits until it is a release. */
  async commit(value: string): Promise<void> {
    this.hub.commit({ 'web/a.yaml': configMap(value) }, value);
    await this.hub.push();
    await this.hub.eventually(async () => {
      const { rows } = { rows: await this.db.selectFrom('releases').select('message').execute() };
      expect(rows.map((row) => row.message)).toContain(value);
    });
    await this.settled();
  }

  /** Nothing is left to do before something happens. */
  async settled(): Promise<void> {
    await this.hub.eventually(async () => {
      const rows = await this.db
        .selectFrom('outbox')
        .select(['queue', 'key', 'not_before'])
        .where('queue', '<>', 'maintenance')
        .execute();
      expect(rows.filter((row) => !row.not_before || row.not_before.getTime() <= Date.now())).toEqual([]);
    });
  }

  async join(name: string, labels: Record<string, string> = {}): Promise<void> {
    const id = await this.hub.cluster(name, labels);
    this.#sessions.set(name, { id, session: '', sequence: 0n });
    await this.connect(name);
  }

  async connect(name: string): Promise<void> {
    const known = this.#sessions.get(name)!;
    const row = await this.db
      .selectFrom('clusters')
      .selectAll()
      .where('id', '=', known.id)
      .executeTakeFirstOrThrow();
    known.session = crypto.randomUUID();
    await this.get(SessionsRegistry).take(row, known.session, { instanceId: known.id, keySetVersion: 1n });
  }

  async disconnect(name: string): Promise<void> {
    const { id, session } = this.#sessions.get(name)!;
    await this.get(SessionsRegistry).leave(id, session);
  }

  /** What a cluster is assigned of `web-NAME`, or of another set's. */
  async held(name: string, set = 'web'): Promise<Held | undefined> {
    const row = await this.db
      .selectFrom('assignments')
      .select(['assignment_digest', 'bundle_digest', 'epoch', 'generation'])
      .where('cluster_id', '=', this.#sessions.get(name)!.id)
      .where('application_name', '=', `${set}-${name}`)
      .executeTakeFirst();
    return (
      row && {
        digest: row.assignment_digest,
        bundle: row.bundle_digest,
        epoch: row.epoch,
        generation: row.generation,
      }
    );
  }

  /** What a cluster is assigned of `web-NAME`, as it is signed. */
  async signed(name: string): Promise<Assignment> {
    const { payload } = await this.db
      .selectFrom('assignments')
      .select('payload')
      .where('cluster_id', '=', this.#sessions.get(name)!.id)
      .where('application_name', '=', `web-${name}`)
      .executeTakeFirstOrThrow();
    return Assignment.decode(payload);
  }

  async digests(...names: string[]): Promise<(string | null | undefined)[]> {
    return Promise.all(names.map(async (name) => (await this.held(name))?.digest));
  }

  /** The agent says that it applied what it holds (or something older), and how it is. */
  async report(name: string, health = 'Healthy', older?: Held, set = 'web'): Promise<void> {
    const known = this.#sessions.get(name)!;
    const held = older ?? (await this.held(name, set))!;
    const version = { epoch: held.epoch, generation: held.generation };
    const status = ApplicationStatus.fromPartial({
      applicationNamespace: 'argocd',
      applicationName: `${set}-${name}`,
      version,
      bundleDigest: held.bundle!,
      sync: 'Synced',
      health,
      observedAtMs: BigInt(Date.now()),
      appliedDigest: held.bundle!,
      appliedAtMs: BigInt(Date.now() - 1000),
      appliedVersion: version,
      resourcesComplete: true,
    });
    known.sequence += 1n;
    const report = Report.fromPartial({
      instanceId: known.id,
      sequence: known.sequence,
      applications: [status],
    });
    await this.get(ReportIngest).add(known.id, known.session, report);
    await this.settled();
  }

  /** The agent says that it holds what it is assigned, and has applied nothing of it yet. */
  async holds(name: string): Promise<void> {
    const known = this.#sessions.get(name)!;
    const held = (await this.held(name))!;
    const status = ApplicationStatus.fromPartial({
      applicationNamespace: 'argocd',
      applicationName: `web-${name}`,
      version: { epoch: held.epoch, generation: held.generation },
      bundleDigest: held.bundle!,
      sync: 'OutOfSync',
      health: 'Missing',
      observedAtMs: BigInt(Date.now()),
      resourcesComplete: true,
    });
    known.sequence += 1n;
    const report = Report.fromPartial({
      instanceId: known.id,
      sequence: known.sequence,
      applications: [status],
    });
    await this.get(ReportIngest).add(known.id, known.session, report);
    await this.settled();
  }

  /** Moves the hub's clock and has every open rollout look at it. */
  async pass(ms: number): Promise<void> {
    this.#offset += ms;
    await this.look();
  }

  /** Has every open rollout stepped once more, as a job that is handed over twice is. */
  async look(): Promise<void> {
    const rows = await this.db.selectFrom('rollouts').select('id').where('ended_at', 'is', null).execute();
    await this.db.transaction().execute((trx) =>
      this.get(RolloutTriggers).ask(
        trx,
        rows.map((row) => row.id),
      ),
    );
    await this.settled();
  }

  /** Has every set expanded again. */
  async expandAll(): Promise<void> {
    await this.#ask('expand');
  }

  /** Has the assignments of every set compared again, as a sweep or an end of recovery does. */
  async assignAll(): Promise<void> {
    await this.#ask('assign');
  }

  async #ask(queue: 'expand' | 'assign'): Promise<void> {
    const sets = await this.db.selectFrom('application_sets').select('id').execute();
    const keys = sets.map(({ id }) => `set:${id}`);
    await this.db.transaction().execute((trx) => this.get(Outbox).add(trx, queue, keys));
    await this.settled();
  }

  /** The rollouts, oldest first. */
  async rollouts(): Promise<Rollout[]> {
    const rows = await this.db
      .selectFrom('rollouts')
      .select('state')
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map((row) => row.state as Rollout);
  }

  async rollout(): Promise<Rollout> {
    return (await this.rollouts()).at(-1)!;
  }

  /** State of each target of the newest rollout, by cluster. */
  async states(): Promise<Record<string, string>> {
    const { id } = await this.rollout();
    const rows = await this.db
      .selectFrom('rollout_targets')
      .select('data')
      .where('rollout_id', '=', id)
      .execute();
    const targets = rows.map((row) => row.data as Target);
    return Object.fromEntries(targets.map(({ cluster, state }) => [cluster, state]));
  }
}

export function configMap(value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  value: ${value}\n`;
}

/** A set over all clusters: `web-NAME` in each. */
export function setOverClusters(
  hub: TestHub,
  annotations: Record<string, string>,
  spec: Record<string, unknown> = {},
) {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'web', annotations },
    spec: {
      generators: [{ clusters: {} }],
      template: {
        metadata: { name: 'web-{{name}}', labels: { tier: '{{metadata.labels.tier}}' } },
        spec: {
          project: 'default',
          source: { repoURL: hub.url, path: 'web', targetRevision: 'main' },
          destination: { name: '{{name}}', namespace: 'shop' },
          syncPolicy: { automated: { prune: true, selfHeal: true } },
        },
      },
      ...spec,
    },
  };
}

export function policy(name: string, spec: Record<string, unknown>) {
  return { apiVersion: 'muster.dev/v1alpha1', kind: 'RolloutPolicy', metadata: { name }, spec };
}

/** One canary, then the rest two at a time; a soak of ten minutes in each. */
export const careful = policy('careful', {
  defaults: { soak: '10m', deadline: '5m' },
  stages: [
    { name: 'canary', clusters: { matchLabels: { tier: 'canary' } } },
    { name: 'rest', maxConcurrent: 2 },
  ],
});
