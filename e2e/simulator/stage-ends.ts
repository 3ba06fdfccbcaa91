import type { RolledTarget, Stopwatch } from './rollout-scenario.ts';

/** From the report that completed a stage, as it left its agent, to the arrival of the next stage's assignments. */
export interface StageEnd {
  /** The stage that ended, from 0. */
  stage: number;
  /** How many assignments followed at once: the slots of the next stage. */
  assignments: number;
  firstMs: number;
  lastMs: number;
}

/**
 * What came between the stages of a completed rollout without soak. `slots`: how many targets of a stage may be on
 * their way at once. Throws when a target was never assigned or healthy.
 */
export function stageEnds(
  watch: Pick<Stopwatch, 'times'>,
  targets: readonly RolledTarget[],
  digest: string,
  slots = Number.POSITIVE_INFINITY,
): StageEnd[] {
  const stages = [...Map.groupBy(targets, ({ stage }) => stage)]
    .flatMap(([stage, of]) => (stage === null ? [] : [{ stage, of }]))
    .sort((a, b) => a.stage - b.stage);
  const timesOf = (target: RolledTarget) => {
    const times = watch.times(target, digest);
    if (times?.healthy === undefined)
      throw new Error(`${target.application} in ${target.cluster} was never healthy at ${digest}`);
    return { assigned: times.assigned, healthy: times.healthy };
  };
  return stages.slice(1).map(({ stage, of }, i) => {
    const completed = Math.max(...stages[i]!.of.map((target) => timesOf(target).healthy));
    const arrivals = of
      .map((target) => timesOf(target).assigned - completed)
      .sort((a, b) => a - b)
      .slice(0, slots);
    return {
      stage: stage - 1,
      assignments: arrivals.length,
      firstMs: arrivals[0]!,
      lastMs: arrivals.at(-1)!,
    };
  });
}
