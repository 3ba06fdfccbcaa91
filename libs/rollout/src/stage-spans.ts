import { selectedBy, taken } from './begin.ts';
import type { StagePolicy } from './policy.ts';
import type { TargetInput } from './types.ts';

/** What of a target decides on its stage. */
export type Candidate = Pick<
  TargetInput,
  'id' | 'cluster' | 'clusterLabels' | 'applicationLabels' | 'pinned'
>;

/** Indices of stages: the first one that a target may be in, and the one that it is in at the latest; null: nobody can tell. */
export interface StageSpan {
  earliest: number;
  latest: number | null;
}

/**
 * In which stages targets would be if all of them moved, as a rollout freezes it. What is drawn at random is not told beforehand.
 * Targets that no stage selects are left out.
 */
export function stageSpans(
  stages: readonly StagePolicy[],
  targets: readonly Candidate[],
): Map<string, StageSpan> {
  const spans = new Map<string, StageSpan>();
  const settled = new Set<string>();
  for (const [i, stage] of stages.entries()) {
    const left = targets.filter((target) => !settled.has(target.id) && selectedBy(stage, target));
    const drawn = stage.take !== null && stage.order.by === 'random';
    const sure = stage.take === null || (!drawn && !left.some(({ id }) => spans.has(id)));
    for (const { id } of sure ? taken(stage, left, { state: 0 }) : left) {
      const earliest = spans.get(id)?.earliest ?? i;
      spans.set(id, { earliest, latest: sure ? i : null });
      if (sure) settled.add(id);
    }
  }
  return spans;
}
