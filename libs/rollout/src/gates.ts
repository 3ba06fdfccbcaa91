import type { Gate, HttpCheck, PrometheusCheck } from './policy.ts';
import { freshGate } from './begin.ts';
import type { FailureKind, GateState, Target } from './types.ts';
import { windowVerdict } from './windows.ts';
import type { Work } from './work.ts';

/** What gates say: go on, wait, or that the stage has failed. */
export type GateVerdict = 'go' | 'wait' | { failed: FailureKind; reason: string };

/** Opens the gates of a stage on this side and judges them. */
export function judgeGates(work: Work, index: number, at: 'entry' | 'end'): GateVerdict {
  let all: GateVerdict = 'go';
  for (const [gate, state] of gatesOf(work, index)) {
    if (gate.at !== at || state.status === 'passed' || state.status === 'skipped') continue;
    // Only some targets were tried again, not the gate.
    if (state.status === 'failed') return { failed: 'gate', reason: `"${gate.name}" has failed` };
    if (state.status === 'pending') openGate(work, index, gate, state);
    const verdict = judgeGate(work, index, gate, state);
    if (typeof verdict === 'object') return verdict;
    if (verdict === 'wait') all = 'wait';
  }
  return all;
}

/**
 * Measurements over the soak begin as soon as something of the stage is healthy at the release, and may end the stage early:
 * also before all of it has been started.
 */
export function judgeSoak(work: Work, index: number): GateVerdict {
  if (!work.members(index).some(isProving)) return 'go';
  for (const [gate, state] of gatesOf(work, index)) {
    if (!isOverSoak(gate) || state.status === 'passed' || state.status === 'skipped') continue;
    if (state.status === 'pending') {
      if ((opensAt(work, index, gate) ?? 0) > work.now) continue;
      openGate(work, index, gate, state);
    }
    if (state.bad > gate.failures) return refuse(work, index, state, 'gate', measuredBadly(state));
  }
  return 'go';
}

/** It has the release, and was healthy with it: what is measured says something of the release. */
export function isProving({ state }: Pick<Target, 'state'>): boolean {
  return state === 'healthy' || state === 'done';
}

/** It has been that for as long as the gate waits before it measures; of a target that is proving. */
export function isMeasurable(gate: Gate, target: Pick<Target, 'healthySince'>, now: number): boolean {
  return measurableAt(gate, target) <= now;
}

function measurableAt(gate: Gate, { healthySince }: Pick<Target, 'healthySince'>): number {
  return healthySince === null ? 0 : healthySince + delayOf(gate);
}

function delayOf(gate: Gate): number {
  return isOverSoak(gate) ? (gate.initialDelayMs ?? 0) : 0;
}

/** When measuring over the soak begins: with the first target that has been healthy for long enough. Null: none is healthy. */
export function opensAt(work: Work, index: number, gate: Gate): number | null {
  let first: number | null = null;
  for (const target of work.members(index))
    if (isProving(target)) first = Math.min(first ?? Infinity, measurableAt(gate, target));
  return first;
}

/** When the last of them has been healthy for as long as the gate waits; 0: it does not wait. */
function allMeasurableAt(work: Work, index: number, gate: Gate): number {
  if (delayOf(gate) === 0) return 0;
  const proving = work.members(index).filter(isProving);
  return proving.reduce((last, target) => Math.max(last, measurableAt(gate, target)), 0);
}

/** When it will first be measured, of one that waits for that; null: it does not, or nobody knows. */
export function measuredFrom(work: Work, index: number, gate: Gate, { status }: GateState): number | null {
  const { step } = work.stage(index);
  if (status !== 'pending' || delayOf(gate) === 0 || (step !== 'rolling' && step !== 'soaking')) return null;
  return opensAt(work, index, gate);
}

/** It is measured while the stage soaks. */
export function isOverSoak(gate: Gate): gate is Gate & (PrometheusCheck | HttpCheck) {
  return gate.kind === 'prometheus' || (gate.kind === 'http' && gate.over === 'soak');
}

/** The stage goes back to its targets: what was judged at its end is judged again. What is measured over the soak goes on. */
export function resetEndGates(work: Work, index: number): void {
  for (const [gate, state] of gatesOf(work, index)) {
    if (gate.at !== 'end' || state.status === 'pending' || state.status === 'skipped') continue;
    if (isOverSoak(gate) && state.status === 'open') {
      state.until = null;
      continue;
    }
    resetGate(work, index, state, 'its stage is not healthy throughout');
  }
}

/** It is asked anew when its turn comes. What was said last stays readable until then. */
export function resetGate(work: Work, index: number, state: GateState, cause: string): void {
  work.moveGate(index, state, 'pending', cause);
  Object.assign(state, { until: null, unknownSince: null });
}

/** What still measures or asks is told to stop; it begins anew where the rollout goes on after all. */
export function closeGates(work: Work, cause: string): void {
  for (const index of work.rollout.stages.keys())
    for (const [, state] of gatesOf(work, index))
      if (state.status === 'open') resetGate(work, index, state, cause);
}

/** Whether the windows of the policy are closed. */
export function policyHeld(work: Work): { reason: string; untilMs: number | null } | undefined {
  const verdict = windowVerdict(work.rollout.policy.windows, work.now);
  return verdict.open ? undefined : verdict;
}

/** Whether windows hold back every start: those of the policy, and those at the entry of the stage. */
export function startsHeld(
  work: Work,
  index: number,
): { reason: string; untilMs: number | null } | undefined {
  const windows = [work.rollout.policy.windows];
  for (const [gate, state] of gatesOf(work, index))
    if (gate.kind === 'windows' && gate.at === 'entry' && state.status !== 'skipped')
      windows.push(gate.windows);
  for (const verdict of windows.map((group) => windowVerdict(group, work.now)))
    if (!verdict.open) return verdict;
  return undefined;
}

export function gatesOf(work: Work, index: number): [Gate, GateState][] {
  const states = work.stage(index).gates;
  return work.policy(index).gates.map((gate, i) => [gate, states[i]!]);
}

function openGate(work: Work, index: number, gate: Gate, state: GateState): void {
  // Windows are looked at each time; there is nothing to ask.
  if (gate.kind === 'windows') return;
  Object.assign(state, freshGate(gate, work.now, state.round + 1));
  const { name: stage } = work.stage(index);
  work.moveGate(
    index,
    state,
    'open',
    gate.kind === 'approval' ? 'approval was asked for' : 'measuring began',
  );
  if (gate.kind === 'approval') {
    state.until = work.now + gate.expiresMs;
    const { groups, count } = gate;
    work.actions.push({
      kind: 'request-approval',
      stage,
      gate: gate.name,
      groups,
      count,
      until: state.until,
    });
  } else {
    work.actions.push({ kind: 'evaluate-gate', stage, gate: gate.name, round: state.round });
  }
}

function judgeGate(work: Work, index: number, gate: Gate, state: GateState): GateVerdict {
  switch (gate.kind) {
    case 'windows':
      return windowVerdict(gate.windows, work.now).open ? 'go' : 'wait';
    case 'approval':
      if (state.approvals.length >= gate.count) return pass(work, index, state, approvedBy(state));
      if (work.now < state.until!) return 'wait';
      return refuse(work, index, state, 'expired', `nobody decided on "${gate.name}" in time`);
    case 'job':
      return judgeProbe(work, index, { ...gate, failures: 0, successes: 1 }, state, 0);
    case 'http':
    case 'prometheus': {
      if (!isOverSoak(gate)) return judgeProbe(work, index, gate, state, 0);
      // The newest measurement has to be of the end of the soak, and of all that proved itself.
      const soakEnd = work.stage(index).since - gate.intervalMs;
      return judgeProbe(work, index, gate, state, Math.max(soakEnd, allMeasurableAt(work, index, gate)));
    }
  }
}

function judgeProbe(
  work: Work,
  index: number,
  gate: { name: string; timeoutMs: number; failures: number; successes: number },
  state: GateState,
  notBefore: number,
): GateVerdict {
  if (state.bad > gate.failures) return refuse(work, index, state, 'gate', measuredBadly(state));
  if (state.last?.verdict === 'ok' && state.last.at >= notBefore && state.good >= gate.successes)
    return pass(work, index, state, state.last.detail);
  if (state.until === null) {
    state.until = work.now + gate.timeoutMs;
    work.touch();
  }
  if (work.now < state.until) return 'wait';
  return refuse(work, index, state, 'gate', `"${gate.name}" had no good result in time${lastWords(state)}`);
}

function pass(work: Work, index: number, state: GateState, cause: string): 'go' {
  work.moveGate(index, state, 'passed', cause || 'good');
  return 'go';
}

function refuse(
  work: Work,
  index: number,
  state: GateState,
  failed: FailureKind,
  reason: string,
): GateVerdict {
  work.moveGate(index, state, 'failed', reason);
  return { failed, reason };
}

function measuredBadly({ name, last }: GateState): string {
  return `"${name}" is not met${last?.detail ? `: ${last.detail}` : ''}`;
}

function lastWords({ last, unknownSince }: GateState): string {
  if (!last) return ': it was never measured';
  return `: ${unknownSince === null ? '' : 'it could not be measured, '}${last.detail}`;
}

function approvedBy({ approvals }: GateState): string {
  return `approved by ${approvals.map(({ actor }) => actor).join(', ')}`;
}
