import type { RolloutStageSummary } from '@muster/api';
import { type Rollout, type TargetState, explain, hasEnded, windowVerdict } from '@muster/rollout';

/** How many targets of a stage (null: of none) are in a state, with their agents or without. */
export interface TargetCount {
  stage: number | null;
  state: TargetState;
  connected: boolean;
  count: number;
}

/** The stages of a rollout, counted by the database. What joined later counts too, so that nothing on its way is left out. */
export function stagesInBrief(rollout: Rollout, counts: readonly TargetCount[]): RolloutStageSummary[] {
  return rollout.stages.map(({ name, step, since, size }, index) => {
    const states: Record<string, number> = {};
    for (const { stage, state, count } of counts)
      if (stage === index) states[state] = (states[state] ?? 0) + count;
    return { name, step, since: new Date(since).toISOString(), size, done: states['done'] ?? 0, states };
  });
}

/** What a rollout waits for, without a look at its targets: people and gates by name, targets by their number. */
export function waitsInBrief(rollout: Rollout, counts: readonly TargetCount[], now: number): string[] {
  if (hasEnded(rollout.phase)) return [];
  const known = explain({ rollout, targets: new Map() }, now).waitingFor.map(({ text }) => text);
  return [...known, ...windowsHeld(rollout, counts, now), ...flightInBrief(rollout, counts)];
}

function flightInBrief(rollout: Rollout, counts: readonly TargetCount[]): string[] {
  const of = (state: TargetState, connected?: boolean) =>
    counts
      .filter((one) => one.state === state && (connected === undefined || one.connected === connected))
      .reduce((sum, { count }) => sum + count, 0);
  if (rollout.phase === 'rolling-back')
    return [
      said(of('restoring'), 'to be healthy at the earlier release'),
      said(of('reverting'), 'whose turn to go back has not come'),
    ].flat();
  if (rollout.phase !== 'running') return [];
  const rolling = rollout.stages[rollout.stage]?.step === 'rolling';
  const away = rolling
    ? counts
        .filter((one) => one.state === 'waiting' && one.stage === rollout.stage && !one.connected)
        .reduce((sum, { count }) => sum + count, 0)
    : 0;
  return [
    said(of('assigned'), 'to apply it'),
    said(of('applied'), 'to become healthy'),
    said(of('healthy'), 'to pass the soak'),
    away > 0 ? [`the agents of ${away}`] : [],
  ].flat();
}

function said(count: number, what: string): string[] {
  return count > 0 ? [`${count} ${what}`] : [];
}

/** A window holds nothing back where nothing waits for it. */
function windowsHeld(rollout: Rollout, counts: readonly TargetCount[], now: number): string[] {
  const stage = rollout.stages[rollout.stage];
  if (rollout.phase !== 'running' || stage?.step !== 'rolling') return [];
  if (!counts.some((one) => one.state === 'waiting' && one.stage === rollout.stage && one.connected))
    return [];
  const verdict = windowVerdict(rollout.policy.windows, now);
  return verdict.open ? [] : [`a window, ${verdict.reason}`];
}
