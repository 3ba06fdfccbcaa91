import { join } from 'node:path';
import type { ApplyRequest } from '@muster/api';
import type { Rollout, Target, Transition } from '@muster/rollout';
import type { Pool } from 'pg';
import { poolToDatabase } from '../bench/hub-database.ts';
import { Repository } from '../spine/testing/repository.ts';
import { type Hub, eventually } from '../src/index.ts';
import type { Conduct, Outcome, Trial } from './behaviour.ts';
import { SimulatedFleet } from './simulated-fleet.ts';
import { configMap, policyOf, setOf } from './story-documents.ts';
import type { Rows } from './story-outcome.ts';
import type { Story } from './story.ts';

/** What a cluster makes of releases that it has not held before, or (`back`) of those that it has; `never`: it does not apply them. */
export type Trouble = Outcome | 'never';

export const NEVER_MS = 3_600_000;
/** Far more than anything takes, on a busy machine and with a hub that is killed every few seconds. */
export const REACHED_WITHIN_MS = 240_000;

/** A fleet in which each story has clusters and a set of its own, so that they can be played side by side. */
export class StoryFleet {
  readonly fleet: SimulatedFleet;
  readonly database: Pool;
  readonly #repository: Repository;
  readonly #troubles: Map<string, Trouble>;
  /** Digests that a cluster has held before. */
  readonly #known: Map<string, Set<string>>;
  /** How often another hub took the place of one that was killed. */
  restarts = 0;
  #commits = 0;
  #committing: Promise<unknown> = Promise.resolve();

  private constructor(
    fleet: SimulatedFleet,
    database: Pool,
    repository: Repository,
    troubles: Map<string, Trouble>,
    known: Map<string, Set<string>>,
  ) {
    this.fleet = fleet;
    this.database = database;
    this.#repository = repository;
    this.#troubles = troubles;
    this.#known = known;
  }

  /** `troubles`: by cluster, from the beginning on. All that is assigned first is applied when this answers. */
  static async start(
    hub: Hub,
    stories: readonly Story[],
    troubles: ReadonlyMap<string, Trouble>,
  ): Promise<StoryFleet> {
    const [trouble, known] = [new Map(troubles), new Map<string, Set<string>>()];
    const clusters = new Map(
      stories.flatMap(({ name, clusters }) =>
        clusters.map((one) => [`${name}-${one}`, { story: name, is: one }] as const),
      ),
    );
    const behaviour = (trial: Trial) => conductOf(trial, trouble, known);
    const fleet = await SimulatedFleet.start({ hub, clusters, behaviour, seed: 1 });
    const repository = await Repository.create(join(hub.dir, 'stories'));
    const on = new StoryFleet(fleet, await poolToDatabase(hub), repository, trouble, known);
    for (const { name } of stories) await on.commit(name);
    await on.#apply(stories.map((story) => setOf(story, repository.url, false)));
    await on.#settled(clusters.size);
    await on.#apply([
      ...stories.map(policyOf),
      ...stories.map((story) => setOf(story, repository.url, true)),
    ]);
    return on;
  }

  /** Changes what a set deploys. */
  commit(set: string): Promise<unknown> {
    const value = ++this.#commits;
    for (const agent of this.fleet.agents.values())
      for (const [key, { assignment }] of agent.held)
        if (key.startsWith(`argocd/${set}-`)) this.#know(agent.name, assignment.bundleDigest);
    const files = { [`${set}/a.yaml`]: configMap(set, value) };
    this.#committing = this.#committing.then(() => this.#repository.commit(files, `change ${value}`));
    return this.#committing;
  }

  /** From now on; null: none. */
  trouble(cluster: string, which: 'new' | 'back', trouble: Trouble | null): void {
    const key = which === 'new' ? cluster : `${cluster} back`;
    if (trouble) this.#troubles.set(key, trouble);
    else this.#troubles.delete(key);
  }

  /** Until each cluster holds what the hub has assigned to it, and nothing else. */
  async agreed(): Promise<void> {
    await eventually(
      async (see) => {
        const { rows } = await this.database.query<{ held: string }>(
          `select c.name || ' ' || a.application_name || ' ' || a.bundle_digest as held
           from assignments a join clusters c on c.id = a.cluster_id where a.action = 'apply'`,
        );
        const assigned = new Set(rows.map(({ held }) => held));
        const there = [...this.fleet.agents.values()].flatMap(({ name, held }) =>
          [...held.values()].map(({ assignment: { applicationName, bundleDigest } }) =>
            [name, applicationName, bundleDigest].join(' '),
          ),
        );
        return (
          see([...assigned].filter((one) => !there.includes(one))).length === 0 &&
          there.length === assigned.size
        );
      },
      { what: 'clusters to hold what they are assigned', timeout: REACHED_WITHIN_MS },
    );
  }

  /** The hub is dead; `start` starts another. Agents dial once it is ready, so that nobody waits for one that waits to dial. */
  async withoutHub(start: () => Promise<void>): Promise<void> {
    const agents = [...this.fleet.agents.values()].filter(({ away }) => !away);
    for (const agent of agents) agent.cut(NEVER_MS);
    await start();
    this.restarts++;
    for (const agent of agents) {
      agent.hurry();
      // As its next heartbeat does: what was said before it connected counts from then on.
      eventually(() => agent.connected, { what: `${agent.name} to connect`, interval: 50 }).then(
        () => agent.repeat(),
        () => undefined,
      );
    }
  }

  async close(): Promise<void> {
    await this.fleet.stop();
    await this.database.end();
  }

  /** Ids of the rollouts of a set, oldest first. */
  async rollouts(set: string): Promise<string[]> {
    const { rows } = await this.database.query<{ id: string }>(
      `select id from rollouts where owner_name = $1 order by created_at, id`,
      [`argocd/${set}`],
    );
    return rows.map(({ id }) => id);
  }

  /** Past the hub: it may just have been killed. */
  async rows(id: string): Promise<Rows> {
    const { rows } = await this.database.query<{ state: Rollout; targets: Target[] | null }>(
      `select r.state, (select jsonb_agg(t.data order by t.target_id) from rollout_targets t where t.rollout_id = r.id) as targets
       from rollouts r where r.id = $1`,
      [id],
    );
    return { rollout: rows[0]!.state, targets: rows[0]!.targets ?? [] };
  }

  /** All that a rollout has logged. */
  async transitions(id: string): Promise<Transition[]> {
    const { rows } = await this.database.query<{ transitions: Transition[] }>(
      'select transitions from rollout_log where rollout_id = $1 order by seq',
      [id],
    );
    return rows.flatMap(({ transitions }) => transitions);
  }

  /** At what it is assigned, as the hub knows. */
  async isHealthy(cluster: string): Promise<boolean> {
    const { rows } = await this.database.query(
      `select from assignments a join target_status s using (cluster_id, application_namespace, application_name)
       where application_name = $1 and s.applied_generation = a.generation and s.health = 'Healthy'`,
      [cluster],
    );
    return rows.length > 0;
  }

  /** The hub knows that its agent is gone. A hub that was killed meanwhile knows nothing of it before the lease ends. */
  async hasLeft(cluster: string): Promise<boolean> {
    const { rows } = await this.database.query(
      'select from clusters where name = $1 and session_id is null',
      [cluster],
    );
    return rows.length > 0;
  }

  #know(cluster: string, digest: string): void {
    this.#known.set(cluster, (this.#known.get(cluster) ?? new Set()).add(digest));
  }

  #apply(documents: unknown[]): Promise<unknown> {
    return this.fleet.client.apply({ documents } as unknown as ApplyRequest);
  }

  async #settled(targets: number): Promise<void> {
    await eventually(
      async (see) => {
        const { rows } = await this.database.query<{ applied: number; healthy: number }>(
          `select count(*) filter (where s.applied_generation = a.generation)::int as applied,
             count(*) filter (where s.health = 'Healthy')::int as healthy
           from assignments a left join target_status s using (cluster_id, application_namespace, application_name)`,
        );
        // What is in trouble from the beginning on is never healthy.
        return see(rows[0]!).applied === targets && rows[0]!.healthy === targets - this.#troubles.size;
      },
      { what: `${targets} first releases`, timeout: REACHED_WITHIN_MS },
    );
  }
}

function conductOf(
  { cluster, digest }: Trial,
  troubles: ReadonlyMap<string, Trouble>,
  known: ReadonlyMap<string, ReadonlySet<string>>,
): Conduct {
  const trouble = troubles.get(known.get(cluster)?.has(digest) ? `${cluster} back` : cluster);
  const calm = { applyMs: 200, settleMs: 300, awayMs: 0 };
  if (trouble === 'never') return { ...calm, outcome: 'stuck', applyMs: NEVER_MS };
  return { ...calm, outcome: trouble ?? 'healthy' };
}
