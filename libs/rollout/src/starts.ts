import { startsHeld } from './gates.ts';
import { shareOf } from './quantity.ts';
import { nextRandom } from './random.ts';
import type { By, Target, TargetState } from './types.ts';
import { type Work, inFlight } from './work.ts';

/** Starts that a rate lets catch up after a late wake-up. */
const CATCH_UP_MS = 1_000;

/** Starts what may start in a stage, in its order: of those in `state` as many as slots, caps and rate let through. */
export function startDue(work: Work, index: number, state: 'waiting' | 'deferred'): void {
  const stage = work.stage(index);
  const members = work.members(index);
  if (stage.slots === 0 || !members.some((target) => isReady(target, state)) || startsHeld(work, index))
    return;
  const used = usedSlots(members);
  for (const target of members) {
    if (used.all >= stage.slots || stage.nextStartAt > work.now) return;
    if (!isReady(target, state) || capIsFull(work, index, target, used.byValue)) continue;
    start(work, target, 'its turn has come');
    used.all += 1;
    count(used.byValue, target.capValue);
    passRate(work, index);
  }
}

/** It has an agent to send to, and nothing outside holds it back. */
export function isReady(target: Target, state: TargetState): boolean {
  return target.state === state && target.connected && target.blocked === null && !target.window;
}

export function start(work: Work, target: Target, cause: string, by?: By): void {
  const { deadlineMs } = work.settings(target);
  const patch = {
    holds: target.to,
    touched: true,
    version: null,
    proved: false,
    observation: null,
    breaks: 0,
    assignedAt: work.now,
    dueAt: deadlineMs === null ? null : work.now + deadlineMs,
  };
  work.move(target, 'assigned', cause, patch, by);
  const release = work.rollout.to.id;
  work.actions.push({ kind: 'assign', target: target.id, digest: target.to, release, purpose: 'advance' });
}

/** Waiting targets without their agent: passed over, or left to come later, once they have been away for long enough. */
export function passOverOffline(work: Work, index: number): void {
  const { offline } = work.policy(index);
  if (offline.mode === 'wait') return;
  for (const target of work.members(index)) {
    if (target.state !== 'waiting' || target.connected) continue;
    if (work.now < target.connectedSince + offline.afterMs) continue;
    if (offline.mode === 'skip') work.move(target, 'skipped', 'its agent is offline');
    else work.move(target, 'deferred', 'its agent is offline; it follows when it returns');
  }
}

interface Used {
  all: number;
  byValue: Map<string, number>;
}

function usedSlots(members: readonly Target[]): Used {
  const used: Used = { all: 0, byValue: new Map() };
  for (const target of members) {
    if (!inFlight(target)) continue;
    used.all += 1;
    count(used.byValue, target.capValue);
  }
  return used;
}

function count(byValue: Map<string, number>, value: string | null): void {
  if (value !== null) byValue.set(value, (byValue.get(value) ?? 0) + 1);
}

function capIsFull(work: Work, index: number, { capValue }: Target, used: Map<string, number>): boolean {
  const cap = work.policy(index).rate.perLabel;
  if (!cap || capValue === null) return false;
  // A value that nobody had at the start: a joiner's.
  const limit = work.stage(index).capped?.[capValue] ?? shareOf(cap.max, 1);
  return (used.get(capValue) ?? 0) >= limit;
}

function passRate(work: Work, index: number): void {
  const { perMinute, jitter } = work.policy(index).rate;
  if (perMinute === null) return;
  const stage = work.stage(index);
  const drawn = nextRandom(work.rollout.random);
  work.rollout.random = drawn.state;
  const pause = (60_000 / perMinute) * (1 + jitter * (2 * drawn.value - 1));
  const credit = pause < CATCH_UP_MS ? CATCH_UP_MS : 0;
  stage.nextStartAt = Math.max(stage.nextStartAt, work.now - credit) + pause;
}
