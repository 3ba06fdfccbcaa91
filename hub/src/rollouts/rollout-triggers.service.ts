import { type Outcome, done } from '@muster/base';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ClusterChanges } from '../clusters/cluster-changes.ts';
import { SessionChanges } from '../clusters/session-changes.ts';
import type { JobContext } from '../queue/jobs.ts';
import { type Asked, Outbox, type OutboxOptions } from '../queue/outbox.ts';
import { Prompt } from '../queue/prompt.ts';
import { type Owner, ownerKey } from '../releases/owner.ts';
import type { Trx } from '../store/schema.ts';
import { DependencyWaits } from './dependencies/waits.service.ts';
import { HoldsRepository } from './holds.repository.ts';
import { KnownAsks } from './known-asks.ts';
import { TriggersRepository } from './triggers.repository.ts';

/** A target by the names that agents use. */
export interface ReportedTarget {
  clusterId: string;
  namespace: string;
  name: string;
}

/** Has rollouts look at what happened, in the transactions in which it happens. */
@Injectable()
export class RolloutTriggers implements OnModuleInit {
  readonly #asks = new KnownAsks();

  constructor(
    @Inject(TriggersRepository) private readonly repository: TriggersRepository,
    @Inject(HoldsRepository) private readonly holds: HoldsRepository,
    @Inject(DependencyWaits) private readonly waits: DependencyWaits,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Prompt) private readonly prompt: Prompt,
    @Inject(ClusterChanges) private readonly clusterChanges: ClusterChanges,
    @Inject(SessionChanges) private readonly sessionChanges: SessionChanges,
  ) {}

  onModuleInit(): void {
    this.clusterChanges.on((trx, { ids }) => this.clusters(trx, ids));
    this.sessionChanges.on((trx, clusterId) => this.clusters(trx, [clusterId]));
  }

  /**
   * Agents reported on these targets; `healthy`: those that became healthy at a version for the first time. What it
   * answers is to be called once the transaction is committed: rollouts that watch these targets are stepped then.
   */
  async reported(
    trx: Trx,
    targets: readonly ReportedTarget[],
    healthy: readonly ReportedTarget[],
  ): Promise<() => void> {
    await this.holds.proveReported(trx, healthy);
    const waiting = await this.waits.reported(trx, targets);
    const watching = await this.repository.watching(trx, targets);
    const rollouts = new Set([...watching.keys(), ...waiting.rollouts]);
    const asked = await this.ask(trx, [...rollouts], { promptly: true });
    const later = await this.waits.ask(trx, waiting, { promptly: true });
    return () => {
      const others = new Set(waiting.rollouts);
      for (const [id, ask] of asked) this.#asks.note(id, ask, others.has(id) ? undefined : watching.get(id));
      this.#run(asked.values());
      this.prompt.run('rollout', later);
    };
  }

  /** Of the step that answers an ask: the targets that it is asked because of; undefined: look at all of them. */
  take(rolloutId: string, requested: bigint): ReadonlySet<string> | undefined {
    return this.#asks.take(rolloutId, requested);
  }

  /** The step that answers an ask failed: the next one looks at all targets. */
  failed(rolloutId: string): void {
    this.#asks.failed(rolloutId);
  }

  /** It is to be stepped at once, and to look at all of its targets. What it answers is to be called after the commit. */
  async atOnce(trx: Trx, rolloutId: string): Promise<() => void> {
    const asked = await this.ask(trx, [rolloutId], { promptly: true });
    return () => {
      for (const [id, ask] of asked) this.#asks.note(id, ask, undefined);
      this.#run(asked.values());
    };
  }

  /** It is to be stepped at a time because of nothing but the time. What it answers is to be called after the commit. */
  async wake(trx: Trx, rolloutId: string, notBefore: Date): Promise<() => void> {
    const asked = await this.ask(trx, [rolloutId], { notBefore, joins: true });
    return () => {
      for (const [id, ask] of asked) this.#asks.note(id, ask, []);
      // What it was added to may have been read before that: it is done here, if by nobody else.
      this.#run([...asked.values()].filter(({ before }) => before !== null));
    };
  }

  #run(asked: Iterable<Asked>): void {
    this.prompt.run(
      'rollout',
      [...asked].map(({ key }) => key),
    );
  }

  /** Agents of these clusters came or went, or the clusters themselves. */
  async clusters(trx: Trx, clusterIds: readonly string[]): Promise<void> {
    const waiting = await this.waits.inClusters(trx, clusterIds);
    await this.ask(trx, await this.repository.inClusters(trx, clusterIds));
    await this.waits.ask(trx, waiting);
  }

  /** The sync windows of a project may be others now, and hold what they did not. */
  async project(trx: Trx, name: string): Promise<void> {
    await this.ask(trx, await this.repository.inProject(trx, name));
  }

  /** What no transaction told: leases that ended, owners that are gone. */
  async overlooked(): Promise<void> {
    await this.waits.overlooked();
    const ids = await this.repository.overdue(this.repository.db);
    if (ids.length > 0) await this.repository.db.transaction().execute((trx) => this.ask(trx, ids));
  }

  /** A rollout of an owner has come further: others may wait for a stage of it. */
  async advanced(trx: Trx, owner: Owner): Promise<void> {
    const waiting = await this.waits.advanced(trx, owner);
    await this.ask(trx, waiting.rollouts);
    await this.waits.ask(trx, waiting);
  }

  /** Tells those that wait for something of which so much waits that whoever told it left that to this. */
  async dependents(key: string, context: Pick<JobContext, 'complete'>): Promise<Outcome> {
    await this.repository.db.transaction().execute(async (trx) => {
      const waiting = await this.waits.later(trx, key);
      await this.ask(trx, waiting.rollouts);
      await this.waits.ask(trx, waiting);
      await context.complete(trx);
    });
    return done;
  }

  /** Has rollouts stepped, at once or not before a time. */
  async ask(
    trx: Trx,
    rolloutIds: readonly string[],
    options: Pick<OutboxOptions, 'notBefore' | 'promptly' | 'joins'> = {},
  ): Promise<Map<string, Asked>> {
    const keys = new Map(rolloutIds.map((id) => [keyOfRollout(id), id]));
    const asked = await this.outbox.add(trx, 'rollout', [...keys.keys()], options);
    return new Map(asked.map((ask) => [keys.get(ask.key)!, ask]));
  }

  /** Has the assignments of owners compared with what their targets are to hold. */
  async askAssign(trx: Trx, owners: readonly Owner[]): Promise<void> {
    await this.outbox.add(trx, 'assign', owners.map(ownerKey));
  }

  /** Has the policy of owners looked at again, and what waits for its turn. */
  async askOwners(trx: Trx, owners: readonly Owner[]): Promise<void> {
    await this.outbox.add(trx, 'rollout', owners.map(ownerKey));
  }
}

function keyOfRollout(id: string): string {
  return `rollout:${id}`;
}
