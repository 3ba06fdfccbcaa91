import type { Dependency } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import type { Db } from '../../store/database.ts';
import type { Trx } from '../../store/schema.ts';
import { type TargetIds, keyOfTarget } from '../../releases/targets.ts';
import { DependencyFacts, type Wanted } from './dependency-facts.repository.ts';
import {
  type DependencyBlocker,
  unknownTarget,
  verdictOfStage,
  verdictOfTarget,
  verdictOfTargets,
} from './dependency-verdict.ts';

/** A target that may have to wait. */
export interface WaitingTarget extends TargetIds {
  /** What it waits for besides what its Application says: of a stage of its rollout's policy. */
  also?: readonly Dependency[];
}

type Stage = Extract<Dependency, { kind: 'stage' }>;

/** What targets wait for, and how that is. */
@Injectable()
export class DependenciesService {
  constructor(@Inject(DependencyFacts) private readonly facts: DependencyFacts) {}

  /** What each of some targets waits for now, by `keyOfTarget`; those that wait for nothing are left out. */
  async blockersOf(
    db: Db | Trx,
    targets: readonly WaitingTarget[],
  ): Promise<Map<string, DependencyBlocker[]>> {
    const out = new Map<string, DependencyBlocker[]>();
    const declared = await this.facts.declared(
      db,
      targets.map((target) => target.applicationId),
    );
    const wanted = new Map<string, Wanted>();
    const stages = new Map<string, Stage>();
    const edges: { target: string; key: string }[] = [];
    for (const target of targets)
      for (const dependency of [...(declared.get(target.applicationId) ?? []), ...(target.also ?? [])]) {
        const { kind, namespace, name } = dependency;
        const clusterId = kind === 'application' && dependency.anywhere ? null : target.clusterId;
        const key = [kind, namespace, name, kind === 'stage' ? dependency.stage : (clusterId ?? '')].join(
          '/',
        );
        if (kind === 'stage') stages.set(key, dependency);
        else wanted.set(key, { dependency, clusterId });
        edges.push({ target: keyOfTarget(target), key });
      }
    if (edges.length === 0) return out;
    const blockers = new Map([...(await this.#ofTargets(db, wanted)), ...(await this.#ofStages(db, stages))]);
    for (const { target, key } of edges) {
      const found = blockers.get(key);
      if (!found) continue;
      const all = out.get(target);
      if (all) all.push(...found);
      else out.set(target, [...found]);
    }
    return out;
  }

  async #ofTargets(
    db: Db | Trx,
    wanted: ReadonlyMap<string, Wanted>,
  ): Promise<[string, DependencyBlocker[]][]> {
    const found = await this.facts.find(db, [...wanted.values()]);
    return [...wanted].flatMap(([key, { dependency, clusterId }], i): [string, DependencyBlocker[]][] => {
      const { cluster, there, targets } = found[i]!;
      const blockers =
        targets.length === 0
          ? [unknownTarget(dependency, clusterId === null ? null : (cluster ?? '?'), there)]
          : targets.flatMap((target) => verdictOfTarget(target) ?? []);
      return blockers.length > 0 ? [[key, blockers]] : [];
    });
  }

  async #ofStages(
    db: Db | Trx,
    wanted: ReadonlyMap<string, Stage>,
  ): Promise<[string, DependencyBlocker[]][]> {
    const stages = await this.facts.stages(db, [...wanted.values()]);
    const out: [string, DependencyBlocker[]][] = [];
    let i = 0;
    for (const [key, dependency] of wanted) {
      const stage = stages[i++];
      const verdict = verdictOfStage(dependency, stage);
      if (verdict === 'passed') continue;
      if (verdict !== 'look') {
        out.push([key, [verdict]]);
        continue;
      }
      const { rollout } = stage!;
      const targets = rollout
        ? await this.facts.ofStage(db, rollout.id, rollout.index)
        : await this.facts.ofSet(db, dependency);
      const blocker = verdictOfTargets(dependency, targets);
      if (blocker) out.push([key, [blocker]]);
    }
    return out;
  }
}
