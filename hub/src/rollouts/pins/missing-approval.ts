import type { GateState, Rollout } from '@muster/rollout';

/** A rollout of a release, and in which stage of it a target is; null: in none. */
export interface RolledOut {
  rollout: Rollout;
  stage: number | null;
}

const GIVEN: ReadonlySet<GateState['status']> = new Set(['passed', 'skipped']);

/**
 * The approval that a target still needed in every rollout of its release, in words; undefined: one of them has come as far
 * as its stage, or none asked for any.
 */
export function missingApproval(rollouts: readonly RolledOut[]): string | undefined {
  const missing = rollouts.map(({ rollout, stage }) => firstMissing(rollout, stage ?? rollout.stages.length));
  return missing.includes(undefined) ? undefined : missing[0];
}

/** Those before the stage begins: at the end of each before it, and at its entry. */
function firstMissing({ stages, policy }: Rollout, stage: number): string | undefined {
  for (const [index, { name, gates }] of stages.entries()) {
    if (index > stage) return undefined;
    for (const [at, gate] of policy.stages[index]!.gates.entries()) {
      const counts = gate.kind === 'approval' && (index < stage || gate.at === 'entry');
      if (counts && !GIVEN.has(gates[at]!.status)) return `"${gate.name}" of stage ${name}`;
    }
  }
  return undefined;
}
