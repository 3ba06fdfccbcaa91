import { type Rollout, type Target, type Transition, edgeOf } from '@muster/rollout';

/** A rollout as its rows say. */
export interface Rows {
  rollout: Rollout;
  targets: Target[];
}

export function gateOf({ rollout }: Rows, gate: string): string | undefined {
  return rollout.stages.flatMap(({ gates }) => gates).find(({ name }) => name === gate)?.status;
}

export function stepOf({ rollout }: Rows, stage: string): string | undefined {
  return rollout.stages.find(({ name }) => name === stage)?.step;
}

/** In a few words, for the message of a wait that fails. */
export function summaryOf({ rollout, targets }: Rows) {
  return {
    phase: rollout.phase,
    stages: rollout.stages.map(({ name, step, gates }) => [name, step, gates.map(({ status }) => status)]),
    targets: targets.map(
      ({ cluster, state, connected }) => `${cluster} ${state}${connected ? '' : ' (away)'}`,
    ),
  };
}

/** What became of a rollout, without times and ids: the same, whatever happened to the hub meanwhile. */
export function outcomeOf({ rollout, targets }: Rows, transitions: readonly Transition[]) {
  return {
    phase: rollout.phase,
    headHeld: rollout.headHeld,
    superseded: rollout.supersededBy !== null,
    failure: rollout.failure && [rollout.failure.kind, rollout.failure.stage],
    rollback: rollout.rollback?.scope ?? null,
    stages: rollout.stages.map(({ name, step, gates }) => [name, step, gates.map(({ status }) => status)]),
    targets: targets.map(({ cluster, state, stage, touched, note, holds, to, proven }) => ({
      cluster,
      state,
      stage,
      touched,
      note: note && withoutNames(note),
      holds: holds === to ? 'the release' : holds === proven?.digest ? 'what was proven' : 'something else',
    })),
    ways: waysOf(transitions),
  };
}

/** What each subject went through, in order, and why: nothing twice, nothing left out. */
function waysOf(transitions: readonly Transition[]): Record<string, string[]> {
  const ways: Record<string, string[]> = {};
  for (const transition of transitions) {
    const { subject, cause } = transition;
    (ways[subject] ??= []).push(`${edgeOf(transition)}: ${withoutNames(cause)}`);
  }
  return ways;
}

/** Releases and commits are others each time, and what is proven may be called by its release or not. */
function withoutNames(text: string): string {
  return text
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'ID')
    .replace(/release \d+ \([^)]*\)|what it was last proven good at/g, 'a release');
}
