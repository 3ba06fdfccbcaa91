import { gatesOf, measuredFrom, policyHeld, startsHeld } from './gates.ts';
import { isReady } from './starts.ts';
import { heldByWindow } from './sync-window.ts';
import type { Target } from './types.ts';
import { windowVerdict } from './windows.ts';
import { type Work, hasEnded } from './work.ts';

/** Where nothing says when a window opens it is looked at again. */
const LOOK_AGAIN_MS = 3_600_000;

/** A window of its project that opens changes something. */
const OPENING: ReadonlySet<Target['state']> = new Set([
  'waiting',
  'deferred',
  'manual',
  'assigned',
  'reverting',
  'restoring',
]);

/** When something changes by time alone; null: never. Always later than now. */
export function nextWake(work: Work): number | null {
  if (hasEnded(work.rollout.phase)) return null;
  const times: number[] = [];
  for (const target of work.targets()) {
    if (target.dueAt !== null && !heldByWindow(target)) times.push(target.dueAt);
    if (target.window && OPENING.has(target.state))
      times.push(target.window.until ?? work.now + LOOK_AGAIN_MS);
    if (target.state === 'healthy') times.push(target.healthySince! + work.settings(target).soakMs);
  }
  if (!work.rollout.paused) {
    if (work.rollout.phase === 'running') stageTimes(work, times);
    if (work.rollout.phase === 'rolling-back') rollbackTimes(work, times);
  }
  const later = times.filter((at) => at > work.now);
  return later.length > 0 ? later.reduce((a, b) => Math.min(a, b)) : null;
}

function stageTimes(work: Work, times: number[]): void {
  const { stage: current, stages } = work.rollout;
  for (let index = 0; index <= Math.min(current, stages.length - 1); index++)
    startTimes(work, index, index === current ? 'waiting' : 'deferred', times);
  if (current >= stages.length) {
    const held = policyHeld(work);
    if (held) times.push(held.untilMs ?? work.now + LOOK_AGAIN_MS);
    return;
  }
  for (const [gate, state] of gatesOf(work, current)) {
    if (state.status === 'open' && state.until !== null) times.push(state.until);
    const from = measuredFrom(work, current, gate, state);
    if (from !== null) times.push(from);
    if (gate.kind !== 'windows' || state.status === 'skipped') continue;
    const verdict = windowVerdict(gate.windows, work.now);
    if (!verdict.open) times.push(verdict.untilMs ?? work.now + LOOK_AGAIN_MS);
  }
}

function startTimes(work: Work, index: number, state: 'waiting' | 'deferred', times: number[]): void {
  const stage = work.stage(index);
  if (state === 'waiting' && stage.step !== 'rolling') return;
  const { offline } = work.policy(index);
  let ready = false;
  for (const target of work.members(index)) {
    ready ||= isReady(target, state);
    if (target.state === 'waiting' && !target.connected && offline.mode !== 'wait')
      times.push(target.connectedSince + offline.afterMs);
  }
  if (!ready || stage.slots === 0) return;
  const held = startsHeld(work, index);
  if (held) times.push(held.untilMs ?? work.now + LOOK_AGAIN_MS);
  // Many starts a minute are made some at a time.
  else if (stage.nextStartAt > work.now) times.push(Math.max(stage.nextStartAt, work.now + 100));
}

function rollbackTimes(work: Work, times: number[]): void {
  const held = work.rollout.policy.rollback.windowsHold ? policyHeld(work) : undefined;
  if (held) times.push(held.untilMs ?? work.now + LOOK_AGAIN_MS);
}
