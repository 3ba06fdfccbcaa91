import { type Rollout, inNamespace } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { type Owner, ownerKey } from '../../releases/owner.ts';
import { Outbox, type OutboxOptions } from '../../queue/outbox.ts';
import type { Trx } from '../../store/schema.ts';
import { type TargetIds, keyOfTarget } from '../../releases/targets.ts';
import { DependenciesService } from './dependencies.service.ts';
import { type Later, type TargetKey, type Wait, WaitsRepository, type Woken } from './waits.repository.ts';

/** Targets that are not given what they are to hold before what they wait for is healthy: whoever signs asks here. */
@Injectable()
export class DependencyWaits {
  constructor(
    @Inject(WaitsRepository) private readonly repository: WaitsRepository,
    @Inject(DependenciesService) private readonly dependencies: DependenciesService,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /**
   * Of targets of one owner, which is held: those among `moving` that have to wait, by `keyOfTarget`. They are noted, and
   * judged again when something happens to what they wait for; the others wait no longer.
   */
  async admit(trx: Trx, targets: readonly TargetIds[], moving: readonly TargetIds[]): Promise<Set<string>> {
    if (targets.length === 0) return new Set();
    const blockers = moving.length > 0 ? await this.dependencies.blockersOf(trx, moving) : new Map();
    const waiting = moving.flatMap(({ applicationId, clusterId }): Wait[] => {
      const found = blockers.get(keyOfTarget({ applicationId, clusterId }));
      return found ? [{ applicationId, clusterId, blockers: found }] : [];
    });
    await this.repository.write(trx, targets, waiting);
    return new Set(waiting.map(keyOfTarget));
  }

  /** Notes what the frozen policy of a rollout waits for. `ownerName`: `namespace/name`. */
  async begun(trx: Trx, rollout: Rollout, ownerName: string): Promise<void> {
    const all = rollout.policy.stages.flatMap(({ dependsOn }) => dependsOn ?? []);
    await this.repository.noteRollout(trx, rollout.id, inNamespace(all, ownerName.split('/')[0]!));
  }

  /** Applications of an owner of which targets are to be judged again; until the transaction ends nobody else wakes them. */
  woken(trx: Trx, owner: Owner): Promise<string[]> {
    return this.repository.woken(trx, owner);
  }

  /** Those that were woken and are not to be given anything any more wait no longer. */
  settled(trx: Trx, applicationIds: readonly string[]): Promise<void> {
    return this.repository.settled(trx, applicationIds);
  }

  /** Agents reported on these targets. */
  reported(trx: Trx, targets: readonly TargetKey[]): Promise<Woken> {
    return this.repository.dependents(trx, targets);
  }

  /** A set's rollout has come further. */
  async advanced(trx: Trx, owner: Owner): Promise<Woken> {
    if (owner.kind !== 'set') return { rollouts: [], owners: [], later: [] };
    return this.repository.dependentsOfSet(trx, owner.id);
  }

  /** Agents of clusters came or went. */
  inClusters(trx: Trx, clusterIds: readonly string[]): Promise<Woken> {
    return this.repository.inClusters(trx, clusterIds);
  }

  /** What was left for later, by the key that `laterKeys` answered. */
  async later(trx: Trx, key: string): Promise<Woken> {
    return this.repository.wakeAll(trx, parseLater(key), true);
  }

  /** What no transaction told. */
  async overlooked(): Promise<void> {
    await this.repository.db.transaction().execute(async (trx) => {
      await this.ask(trx, { owners: await this.repository.overlooked(trx), later: [] });
    });
  }

  /**
   * Has what was woken judged again, and the rest woken. After everything else that is written: rows of the outbox come last.
   * Answers the keys of the queue `rollout` that are to be run once that is committed, if it is asked promptly.
   */
  async ask(
    trx: Trx,
    { owners, later }: Pick<Woken, 'owners' | 'later'>,
    options: Pick<OutboxOptions, 'promptly'> = {},
  ): Promise<string[]> {
    await this.outbox.add(
      trx,
      'assign',
      owners.map((owner) => `waits:${ownerKey(owner)}`),
    );
    const keys = [...new Set(later.map(laterKey))];
    await this.outbox.add(trx, 'rollout', keys, options);
    return keys;
  }
}

function laterKey(one: Later): string {
  switch (one.kind) {
    case 'application':
      return `dependents:application/${one.clusterId}/${one.namespace}/${one.name}`;
    case 'stages':
      return `dependents:stages/${one.setId}`;
    case 'cluster':
      return `dependents:cluster/${one.clusterId}`;
  }
}

function parseLater(key: string): Later {
  const [kind, id = '', namespace = '', name = ''] = key.slice('dependents:'.length).split('/');
  if (kind === 'stages') return { kind, setId: id };
  if (kind === 'cluster') return { kind, clusterId: id };
  return { kind: 'application', clusterId: id, namespace, name };
}
