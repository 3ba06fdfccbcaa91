import { closeGates, policyHeld } from './gates.ts';
import { shareOf } from './quantity.ts';
import type { By, Target, TargetState } from './types.ts';
import { type Work, inFlight } from './work.ts';

/** It was chosen to go back once; that is never done again. */
const CHOSEN: ReadonlySet<TargetState> = new Set([
  'reverting',
  'restoring',
  'restored',
  'restore-failed',
  'unproven',
  'kept',
]);

/** Takes back what failed, or everything that was touched. The Git head is held from now on. */
export function beginRollback(work: Work, scope: 'failed' | 'all', cause: string, by?: By): void {
  closeGates(work, 'the release is taken back');
  work.rollout.rollback = { scope, since: work.now, cause };
  work.rollout.headHeld = true;
  work.movePhase('rolling-back', cause, by);
  work.notify('rollback-began', cause);
  work.notify('head-held', `${work.rollout.to.label} is held back until there is a newer commit`);
}

/** One step of a rollback: chooses what goes back, sends it back, and ends when each has been tried once. */
export function runRollback(work: Work): void {
  choose(work);
  sendBack(work);
  const left = [...work.targets()].some(
    (target) => target.state === 'reverting' || target.state === 'restoring' || mayStillFail(work, target),
  );
  if (!left) endRollback(work);
}

function choose(work: Work): void {
  const { scope } = work.rollout.rollback!;
  for (const target of work.targets()) {
    if (!isTouched(target) || CHOSEN.has(target.state)) continue;
    if (scope === 'failed' && target.state !== 'failed') continue;
    const back = target.proven;
    if (!back || back.digest === target.to)
      work.move(target, 'kept', 'there is no earlier release that it was proven good at');
    else work.move(target, 'reverting', `it goes back to ${earlier(work, back.release)}`);
  }
}

function isTouched({ state, touched, holds, to }: Target): boolean {
  return touched && holds === to && state !== 'pinned' && state !== 'gone';
}

function sendBack(work: Work): void {
  const { rollback } = work.rollout.policy;
  if (rollback.windowsHold && policyHeld(work)) return;
  const chosen = [...work.targets()].filter(({ state }) => CHOSEN.has(state) && state !== 'kept');
  let free = Math.max(1, shareOf(rollback.maxConcurrent, chosen.length));
  free -= chosen.filter(({ state }) => state === 'restoring').length;
  for (const target of chosen) {
    if (free <= 0) return;
    if (target.state !== 'reverting' || (rollback.windowsHold && target.window)) continue;
    restore(work, target);
    free -= 1;
  }
}

/** An earlier release in words: only the one that the rollout came from has a name here. */
function earlier({ rollout: { from } }: Work, release: string): string {
  return from?.id === release ? from.label : 'what it was last proven good at';
}

/** Also to a silent agent: when it returns it must find the earlier release, never the one that is taken back. */
function restore(work: Work, target: Target): void {
  const { digest, release } = target.proven!;
  work.move(target, 'restoring', `it is given ${earlier(work, release)} again`, {
    holds: digest,
    version: null,
    proved: false,
    observation: null,
    window: null,
    assignedAt: work.now,
    dueAt: work.now + work.rollout.policy.rollback.deadlineMs,
  });
  work.actions.push({ kind: 'assign', target: target.id, digest, release, purpose: 'restore' });
}

/** Where only failures go back, the others are watched until they have come to rest. */
function mayStillFail(work: Work, target: Target): boolean {
  if (work.rollout.rollback!.scope === 'all') return false;
  return (inFlight(target) && target.dueAt !== null) || target.state === 'healthy';
}

function endRollback(work: Work): void {
  const states = [...work.targets()].map(({ state }) => state);
  const count = (state: TargetState) => states.filter((one) => one === state).length;
  const failed = count('restore-failed');
  const parts = [
    `${count('restored')} restored`,
    ...(count('unproven') ? [`${count('unproven')} silent, restored when they return`] : []),
    ...(count('kept') ? [`${count('kept')} had nothing to go back to`] : []),
  ];
  if (failed === 0) return work.movePhase('rolled-back', parts.join(', '));
  const reason = `${failed} did not become healthy at the earlier release (${parts.join(', ')})`;
  const stage = work.rollout.stages[Math.min(work.rollout.stage, work.rollout.stages.length - 1)]?.name ?? '';
  work.rollout.failure = { kind: 'rollback', stage, at: work.now, reason };
  work.movePhase('failed', reason);
  work.notify('failed', reason);
}
