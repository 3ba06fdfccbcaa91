import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplyRequest } from '@muster/api';
import { hubClient } from '@muster/api/client';
import type { Client } from 'pg';
import type { Behaviour } from '../simulator/behaviour.ts';
import { HUB_ENV } from '../simulator/rollout-scenario.ts';
import type { Seen } from '../simulator/simulated-agent.ts';
import { SimulatedFleet } from '../simulator/simulated-fleet.ts';
import { Repository } from '../spine/testing/repository.ts';
import { type Hub, processMemory, startHub } from '../src/index.ts';
import { buildHubAndAgent } from './bundles.ts';
import { type Bench, type BenchContext, type Figure, atMost, median, partOf, plain } from './figure.ts';
import { connectDatabase } from './hub-database.ts';

const SIZE = 10_000;
const WITHIN_MS = 300_000;
const ROUNDS = 5;
const CLUSTER = 'one';
/** Has one Application, and shows what others have to do with it. */
const OTHER = 'two';
const DATABASE = 'argocd/db';

/** What ten thousand Applications cost who asks about them, and ten thousand that wait for one. */
export const large: Bench = {
  name: 'large',
  about:
    '10,000 Applications: to ask about them, and to let all of them go when the one that they wait for is healthy',
  run: async (context) => {
    await buildHubAndAgent(context.signal);
    const { dir, log, signal } = context;
    log('starting a hub and an agent');
    const hub = await startHub({ dir: join(dir, 'hub'), env: HUB_ENV, signal });
    const database = await connectDatabase(hub);
    const watch = new Watch();
    const fleet = await SimulatedFleet.start({
      hub,
      clusters: new Map([CLUSTER, OTHER].map((name) => [name, { fleet: 'simulated' }])),
      behaviour: watch.behaviour,
      seed: 1,
      observe: (seen) => watch.observe(seen),
      log,
      signal,
    });
    try {
      const { cookie = '' } = await hubClient({ hub: hub.url }).session.login({
        name: 'admin',
        password: hub.adminPassword,
      });
      const sets = new LargeSets({ ...context, hub, database, fleet, watch, cookie });
      return await sets.measure(await Repository.create(join(hub.dir, 'repository')));
    } finally {
      await fleet.stop();
      await database.end();
      await hub.stop();
    }
  },
};

interface Place extends BenchContext {
  hub: Hub;
  database: Client;
  fleet: SimulatedFleet;
  watch: Watch;
  /** Of the admin's session. */
  cookie: string;
}

/** Sets of 10,000 in one simulated cluster, beside the one Application that they wait for. */
class LargeSets {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async measure(repository: Repository): Promise<Figure[]> {
    const { log, watch } = this.#place;
    const files = (value: string) => ({ 'db/a.yaml': configMap(value) });
    await repository.commit({ ...files('one'), 'app/a.yaml': configMap('app') }, 'first');
    const source = (path: string) => ({ repoURL: repository.url, targetRevision: 'main', path });
    // Without anything to wait for: what it costs anyway.
    log(`${SIZE} Applications that wait for nothing`);
    const started = performance.now();
    await this.#apply(setOf('free', source('app')));
    await this.#count(`from assignments where application_name like 'free-%'`, SIZE);
    const free = performance.now() - started;
    await this.#healthy('free');
    log(`${SIZE} Applications that wait for one`);
    await this.#apply(
      application('db', CLUSTER, source('db')),
      application('other', OTHER, source('app')),
      setOf('fleet', source('app'), 'db'),
    );
    await this.#count('from target_waits', SIZE);
    const asked = await this.#asked('fleet');
    const round = await this.#roundTrip();
    watch.healthy = true;
    const waits = this.#lockWaits();
    const heard = watch.healthyNext(DATABASE);
    await repository.commit(files('two'), 'second');
    const at = await heard;
    await this.#count(`from assignments where application_name like 'fleet-%'`, SIZE);
    const took = performance.now() - at.reported;
    const acknowledged = (await at.acknowledged) - at.reported;
    const { longest } = await waits.end();
    const { rss } = await processMemory(this.#place.hub.process.pid);
    await this.#healthy('fleet');
    return [
      ...asked,
      partOf(
        'large: 10,000 let go, all assigned',
        took,
        { name: 'a set without', value: free },
        took / free,
        1.2,
      ),
      partOf(
        'large: the report that lets them go',
        acknowledged,
        { name: 'another', value: round },
        acknowledged / round,
        3,
      ),
      plain('large: longest wait for a lock meanwhile', longest, 'ms'),
      plain('large: memory of the hub after that', rss / 1e6, 'MB'),
      ...(await this.#rollouts(source('app'))),
    ];
  }

  /** A set of 10,000 with a rollout that waits. */
  async #rollouts(source: object): Promise<Figure[]> {
    const gate = { name: 'sign-off', at: 'entry', approval: {} };
    const spec = { stages: [{ name: 'all', gates: [gate] }] };
    const metadata = { name: 'careful' };
    const set = setOf('staged', source);
    Object.assign(set.metadata, { annotations: { 'muster.dev/rollout-policy': 'careful' } });
    await this.#apply({ apiVersion: 'muster.dev/v1alpha1', kind: 'RolloutPolicy', metadata, spec }, set);
    await this.#count('from rollout_targets', SIZE);
    const { rows } = await this.#place.database.query('select id from rollouts');
    const { id } = rows[0] as { id: string };
    const figures = [...(await this.#asked('staged'))];
    for (const [name, path] of [
      ['the rollouts', 'rollouts'],
      ['a rollout', `rollouts/${id}`],
      ['a rollout with a page of targets', `rollouts/${id}?targets=1000`],
      ['replay of a rollout', `rollouts/${id}/replay`],
      ['a page of Applications', 'applications?limit=500'],
      ['Applications that are not healthy', 'applications?health=Degraded'],
    ] as const)
      figures.push(...(await this.#answer(name, path, 300)));
    return figures;
  }

  async #asked(set: string): Promise<Figure[]> {
    const one = await this.#answer(`why one of ${set}`, `why/argocd/${set}-7`, 300);
    return [...one, ...(await this.#answer(`why all of ${set}`, `why/argocd/${set}`, 1_000))];
  }

  /** The median time of an answer, which is read to its end. */
  async #answer(name: string, path: string, limit: number): Promise<Figure[]> {
    const times: number[] = [];
    let size = 0;
    for (let i = 0; i <= ROUNDS; i++) {
      const started = performance.now();
      const answer = await this.#get(path);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 200)}`);
      if (i > 0) times.push(performance.now() - started);
      size = text.length;
    }
    this.#place.log(`${name}: ${times.map(Math.round).join(', ')} ms, ${size} bytes`);
    return [
      atMost(`large: ${name}`, median(times), 'ms', limit),
      plain(`large: ${name}, size`, size / 1e6, 'MB'),
    ];
  }

  /** From a report that says nothing new to its acknowledgement, while nothing else happens. */
  async #roundTrip(): Promise<number> {
    const { fleet, watch } = this.#place;
    const times: number[] = [];
    for (let i = 0; i < 50; i++) {
      const started = performance.now();
      const acknowledged = watch.acknowledged(OTHER);
      fleet.agent(OTHER).repeat();
      times.push((await acknowledged) - started);
      await sleep(10);
    }
    return median(times);
  }

  /** Looks every 10 ms for how long somebody has waited for a lock. */
  #lockWaits(): { end(): Promise<{ longest: number }> } {
    const { database } = this.#place;
    let going = true;
    let longest = 0;
    const looking = (async () => {
      while (going) {
        const { rows } = await database.query(
          `select coalesce(max(extract(epoch from now() - waitstart)) * 1000, 0)::float8 as ms from pg_locks where not granted`,
        );
        longest = Math.max(longest, (rows[0] as { ms: number }).ms);
        await sleep(10);
      }
    })();
    return {
      end: async () => {
        going = false;
        await looking;
        return { longest };
      },
    };
  }

  async #apply(...documents: object[]): Promise<void> {
    await this.#place.fleet.client.apply({ documents } as unknown as ApplyRequest);
  }

  async #healthy(prefix: string): Promise<void> {
    await this.#count(
      `from target_status where application_name like '${prefix}-%' and health = 'Healthy'`,
      SIZE,
    );
    await this.#count(`from outbox where queue <> 'maintenance' and not_before is null`, 0);
    await this.#place.database.query('analyze');
  }

  async #count(from: string, wanted: number): Promise<void> {
    for (const deadline = Date.now() + WITHIN_MS; ; await sleep(5)) {
      const { rows } = await this.#place.database.query(`select count(*)::int as n ${from}`);
      const { n } = rows[0] as { n: number };
      if (n === wanted) return;
      if (Date.now() > deadline) throw new Error(`${n} instead of ${wanted}: ${from}`);
    }
  }

  #get(path: string): Promise<Response> {
    const { hub, cookie, signal } = this.#place;
    return fetch(`${hub.url}/api/v1/${path}`, { headers: { cookie }, signal });
  }
}

/** When agents reported, and when that was acknowledged; what becomes of the Application that is waited for. */
class Watch {
  /** Whether `db` becomes healthy with what it is given from now on. */
  healthy = false;
  readonly #reported = new Map<string, (at: { reported: number; acknowledged: Promise<number> }) => void>();
  readonly #acknowledged = new Map<string, ((at: number) => void)[]>();

  behaviour: Behaviour = ({ application }) => {
    const outcome = application === DATABASE && !this.healthy ? 'stuck' : 'healthy';
    return { outcome, applyMs: 20, settleMs: 20, awayMs: 0 };
  };

  observe(seen: Seen): void {
    if (seen.kind === 'acknowledged') {
      const heard = this.#acknowledged.get(seen.agent) ?? [];
      this.#acknowledged.delete(seen.agent);
      for (const hear of heard) hear(seen.at);
    }
    if (seen.kind !== 'reported' || seen.status.health !== 'Healthy') return;
    const name = `${seen.status.applicationNamespace}/${seen.status.applicationName}`;
    this.#reported.get(name)?.({ reported: seen.at, acknowledged: this.acknowledged(seen.agent) });
    this.#reported.delete(name);
  }

  /** When the next report of an agent is acknowledged. */
  acknowledged(agent: string): Promise<number> {
    return new Promise((resolve) => {
      this.#acknowledged.set(agent, [...(this.#acknowledged.get(agent) ?? []), resolve]);
    });
  }

  /** When an Application is next said to be healthy. */
  healthyNext(application: string): Promise<{ reported: number; acknowledged: Promise<number> }> {
    return new Promise((resolve) => this.#reported.set(application, resolve));
  }
}

function configMap(value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  value: ${value}\n`;
}

const syncPolicy = { automated: {} };
const apiVersion = 'argoproj.io/v1alpha1';

function application(name: string, cluster: string, source: object) {
  const destination = { name: cluster, namespace: 'shop' };
  const spec = { project: 'default', source, destination, syncPolicy };
  return { apiVersion, kind: 'Application', metadata: { name }, spec };
}

/** `NAME-0` to `NAME-9999`. */
function setOf(name: string, source: object, dependsOn?: string) {
  const annotations = dependsOn === undefined ? {} : { 'muster.dev/depends-on': dependsOn };
  const elements = Array.from({ length: SIZE }, (_, i) => ({ n: String(i) }));
  return {
    apiVersion,
    kind: 'ApplicationSet',
    metadata: { name },
    spec: {
      generators: [{ list: { elements } }],
      template: {
        metadata: { name: `${name}-{{n}}`, annotations },
        spec: application(name, CLUSTER, source).spec,
      },
    },
  };
}
