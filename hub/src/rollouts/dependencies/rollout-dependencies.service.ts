import {
  type Dependency,
  type FactEvent,
  type Rollout,
  type RolloutState,
  type Target,
  type TargetInput,
  inNamespace,
  stageOfJoiner,
} from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import type { Trx } from '../../store/schema.ts';
import { type TargetIds, keyOfTarget } from '../../releases/targets.ts';
import { DependenciesService, type WaitingTarget } from './dependencies.service.ts';
import { type DependencyBlocker, blockerText } from './dependency-verdict.ts';

/** It has not been started, and may be. */
const MAY_START: ReadonlySet<Target['state']> = new Set([
  'waiting',
  'deferred',
  'manual',
  'pinned',
  'failed',
]);
const SOON_MS = 1_000;
const AGAIN_MS = 15_000;

/** What a rollout is told of what its targets wait for. */
export interface DependencyNews {
  events: FactEvent[];
  /** Look again after so many milliseconds, whatever happens; undefined: nothing waits. */
  againMs: number | undefined;
}

/** What the targets of rollouts wait for: their Applications, and the stages of their policy. */
@Injectable()
export class RolloutDependencies {
  constructor(@Inject(DependenciesService) private readonly dependencies: DependenciesService) {}

  /** What a rollout does not know yet. Going back waits for nothing. `joining`: targets that it hears of now. */
  async news(
    trx: Trx,
    rollout: {
      ownerName: string;
      state: RolloutState;
      records: ReadonlyMap<string, TargetIds>;
      joining: readonly { input: TargetInput; record: TargetIds }[];
    },
  ): Promise<DependencyNews> {
    const { rollout: of, targets } = rollout.state;
    if (of.kind === 'undo' || (of.phase !== 'running' && of.phase !== 'failed'))
      return { events: [], againMs: undefined };
    const [namespace] = rollout.ownerName.split('/');
    const staged = dependenciesOfStages(of, namespace!);
    const asked: { id: string; blocked: Target['blocked']; target: WaitingTarget }[] = [];
    const ask = (id: string, blocked: Target['blocked'], ids: TargetIds, stage: number | null) => {
      const { applicationId, clusterId } = ids;
      const also = staged.get(stage) ?? [];
      asked.push({ id, blocked, target: { applicationId, clusterId, also } });
    };
    for (const [id, { state, stage, blocked }] of targets) {
      const ids = rollout.records.get(id);
      if (ids && MAY_START.has(state)) ask(id, blocked, ids, stage);
    }
    for (const { input, record } of rollout.joining)
      ask(input.id, null, record, stageOfJoiner(of.policy.stages, input));
    const blockers = await this.dependencies.blockersOf(
      trx,
      asked.map(({ target }) => target),
    );
    const soon = [...blockers.values()].flat().some((blocker) => blocker.soon);
    return {
      events: asked.flatMap(({ id, blocked, target }) =>
        eventOf(id, blocked, blockers.get(keyOfTarget(target))),
      ),
      againMs: soon ? SOON_MS : blockers.size > 0 ? AGAIN_MS : undefined,
    };
  }
}

function eventOf(
  id: string,
  blocked: Target['blocked'],
  blockers: readonly DependencyBlocker[] | undefined,
): FactEvent[] {
  if (!blockers) return blocked ? [{ kind: 'unblocked', target: id }] : [];
  const reason = reasonOf(blockers);
  if (blocked?.reason === reason) return [];
  return [{ kind: 'blocked', target: id, by: 'dependency', reason }];
}

/** `Application argocd/db on cluster a: Progressing since …`, and how many more. */
export function reasonOf([first, ...more]: readonly DependencyBlocker[]): string {
  return blockerText(first!) + (more.length > 0 ? `, and ${more.length} more` : '');
}

/** By the index of the stage; null: targets that no stage has wait for what all stages wait for. */
function dependenciesOfStages({ policy }: Rollout, namespace: string): Map<number | null, Dependency[]> {
  // Policies that were frozen by an older hub wait for nothing.
  const all = policy.stages.map(({ dependsOn }) => inNamespace(dependsOn ?? [], namespace));
  const [first = [], ...others] = all;
  const common = first.filter((one) => others.every((stage) => stage.some((other) => isSame(one, other))));
  return new Map<number | null, Dependency[]>([...all.entries(), [null, common]]);
}

function isSame(a: Dependency, b: Dependency): boolean {
  const stageOf = (one: Dependency) => (one.kind === 'stage' ? one.stage : '');
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name && stageOf(a) === stageOf(b);
}
