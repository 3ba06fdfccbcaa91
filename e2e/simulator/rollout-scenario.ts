import { join } from 'node:path';
import type { ApplyRequest } from '@muster/api';
import type { Client } from 'pg';
import { connectDatabase } from '../bench/hub-database.ts';
import { Repository } from '../spine/testing/repository.ts';
import { type Hub, eventually } from '../src/index.ts';
import type { Seen } from './simulated-agent.ts';
import type { SimulatedFleet } from './simulated-fleet.ts';

/** What the hub needs of settings to take its commits from a folder, when it is told of them. */
export const HUB_ENV = { MUSTER_ALLOW_FILE_REPOSITORIES: 'true', MUSTER_POLL_SECONDS: '1' };
const SETTLED_WITHIN_MS = 600_000;

/** Name and labels of each simulated cluster; `group` is which sets it belongs to, `row` where it is among all. */
export function clustersOf(count: number, groups = 1): Map<string, Record<string, string>> {
  return new Map(
    Array.from({ length: count }, (_, i) => [
      `sim-${String(i).padStart(4, '0')}`,
      { fleet: 'simulated', group: String(i % groups), region: `region-${i % 7}` },
    ]),
  );
}

/** A target of a rollout, by the names that agents use. */
export interface RolledTarget {
  application: string;
  cluster: string;
  stage: number | null;
}

/** When something happened to an Application in a cluster, by `performance.now()`. */
interface Times {
  assigned: number;
  healthy?: number;
}

/** When each target was given each bundle, and was healthy at it. */
export class Stopwatch {
  readonly #times = new Map<string, Times>();
  readonly #acknowledged = new Map<string, (at: number) => void>();
  readonly refused: string[] = [];

  /** When the next report of an agent is acknowledged. */
  nextAcknowledgement(agent: string): Promise<number> {
    return new Promise((resolve) => this.#acknowledged.set(agent, resolve));
  }

  observe(seen: Seen): void {
    if (seen.kind === 'acknowledged') {
      this.#acknowledged.get(seen.agent)?.(seen.at);
      this.#acknowledged.delete(seen.agent);
    }
    if (seen.kind === 'refused') this.refused.push(`${seen.agent}: ${seen.what}`);
    if (seen.kind === 'assigned') {
      const { bundleDigest } = seen.held.assignment;
      this.#times.set(`${seen.agent} ${seen.application} ${bundleDigest}`, { assigned: seen.at });
    }
    if (seen.kind !== 'reported' || seen.status.health !== 'Healthy') return;
    const { applicationNamespace, applicationName, appliedDigest, bundleDigest } = seen.status;
    if (appliedDigest !== bundleDigest) return;
    const times = this.#times.get(
      `${seen.agent} ${applicationNamespace}/${applicationName} ${appliedDigest}`,
    );
    if (times) times.healthy ??= seen.at;
  }

  times(target: RolledTarget, digest: string): Times | undefined {
    return this.#times.get(`${target.cluster} ${target.application} ${digest}`);
  }
}

export interface SetOptions {
  sets: number;
  /** How many groups the clusters are in: a set is over one of them. */
  groups: number;
  signal?: AbortSignal;
}

/** ApplicationSets over a simulated fleet: a commit is a release of each of them. */
export class RolloutScenario {
  readonly fleet: SimulatedFleet;
  readonly database: Client;
  readonly #repository: Repository;
  readonly #options: SetOptions;
  #commits: number;

  private constructor(
    fleet: SimulatedFleet,
    database: Client,
    repository: Repository,
    options: SetOptions,
    commits: number,
  ) {
    this.fleet = fleet;
    this.database = database;
    this.#repository = repository;
    this.#options = options;
    this.#commits = commits;
  }

  static async create(hub: Hub, fleet: SimulatedFleet, options: SetOptions): Promise<RolloutScenario> {
    const repository = await Repository.create(join(hub.dir, 'simulated-repository'));
    // A folder of an earlier run has commits: what they say is not said again.
    const commits = Number(await repository.git('rev-list', '--count', '--all'));
    const scenario = new RolloutScenario(fleet, await connectDatabase(hub), repository, options, commits);
    await scenario.commit();
    return scenario;
  }

  close(): Promise<void> {
    return this.database.end();
  }

  /** Changes what every set deploys; answers the commit. */
  async commit(): Promise<string> {
    this.#commits++;
    const files = Object.fromEntries(
      Array.from({ length: this.#options.sets }, (_, i) => [`app-${i}/a.yaml`, configMap(i, this.#commits)]),
    );
    return this.#repository.commit(files, `change ${this.#commits}`);
  }

  /** Applies the sets, under a policy or under none. */
  async apply(policy?: Record<string, unknown>): Promise<void> {
    const { sets, groups } = this.#options;
    const documents: unknown[] = policy
      ? [
          {
            apiVersion: 'muster.dev/v1alpha1',
            kind: 'RolloutPolicy',
            metadata: { name: 'simulated' },
            spec: policy,
          },
        ]
      : [];
    for (let i = 0; i < sets; i++)
      documents.push(set(i, i % groups, this.#repository.url, policy !== undefined));
    await this.fleet.client.apply({ documents } as unknown as ApplyRequest);
  }

  /** Waits until there is nothing to do, and every target is healthy at what it is assigned. */
  async settled(targets: number): Promise<void> {
    await this.#until(
      `select count(*)::int as n, count(*) filter (where s.health = 'Healthy' and s.applied_digest = a.bundle_digest
         and s.applied_generation = a.generation)::int as healthy,
         (select count(*)::int from outbox where queue <> 'maintenance' and (not_before is null or not_before < now())) as work
       from assignments a left join target_status s using (cluster_id, application_namespace, application_name)
       where a.action = 'apply'`,
      ({ n, healthy, work }) => n === targets && healthy === targets && work === 0,
      `${targets} targets to be healthy`,
    );
  }

  /** Waits until every set has a rollout of the commit, and all of them have ended; answers them. */
  async ended(commit: string): Promise<{ id: string; phase: string; digest: string }[]> {
    const label = `%${commit.slice(0, 7)}%`;
    await this.#until(
      `select count(*)::int as n, count(*) filter (where ended_at is not null or phase = 'failed')::int as ended,
         coalesce(jsonb_object_agg(phase, 1), '{}') as phases
       from rollouts where state->'to'->>'label' like '${label}'`,
      ({ n, ended }) => n === this.#options.sets && ended === n,
      `${this.#options.sets} rollouts of ${commit.slice(0, 7)} to end`,
    );
    const { rows } = await this.database.query(
      `select r.id, r.phase, (select rt.bundle_digest from release_targets rt where rt.release_id = r.to_release limit 1) as digest
       from rollouts r where r.state->'to'->>'label' like $1`,
      [label],
    );
    return rows as { id: string; phase: string; digest: string }[];
  }

  async targets(rollout: string): Promise<RolledTarget[]> {
    const { rows } = await this.database.query(
      `select t.application_namespace || '/' || t.application_name as application, c.name as cluster, t.stage
       from rollout_targets t join clusters c on c.id = t.cluster_id where t.rollout_id = $1`,
      [rollout],
    );
    return rows as RolledTarget[];
  }

  async #until(query: string, done: (row: Record<string, number>) => boolean, what: string): Promise<void> {
    await eventually(
      async (see) => done(see((await this.database.query(query)).rows[0] as Record<string, number>)),
      { what, timeout: SETTLED_WITHIN_MS, interval: 250, signal: this.#options.signal },
    );
  }
}

function configMap(app: number, value: number): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-${app}\ndata:\n  value: "${value}"\n`;
}

function set(i: number, group: number, repoURL: string, isRolledOut: boolean) {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: {
      name: `app-${i}`,
      namespace: 'argocd',
      annotations: isRolledOut ? { 'muster.dev/rollout-policy': 'simulated' } : {},
    },
    spec: {
      generators: [{ clusters: { selector: { matchLabels: { fleet: 'simulated', group: String(group) } } } }],
      template: {
        metadata: { name: `app-${i}-{{name}}` },
        spec: {
          project: 'default',
          source: { repoURL, path: `app-${i}`, targetRevision: 'main' },
          destination: { name: '{{name}}', namespace: `app-${i}` },
          syncPolicy: { automated: { prune: true, selfHeal: true } },
        },
      },
    },
  };
}
