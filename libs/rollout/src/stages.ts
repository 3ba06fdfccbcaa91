import { closeGates, judgeGates, judgeSoak, policyHeld, resetEndGates } from './gates.ts';
import { beginRollback } from './rollback.ts';
import { passOverOffline, startDue } from './starts.ts';
import type { Failure } from './types.ts';
import { type Work, inFlight } from './work.ts';

/** Moves a running rollout as far as it can go now. */
export function runStages(work: Work): void {
  for (;;) {
    if (failsByBudget(work)) return;
    const { stage, stages } = work.rollout;
    for (let passed = 0; passed < Math.min(stage, stages.length); passed++)
      startDue(work, passed, 'deferred');
    if (stage >= stages.length) return complete(work);
    if (!runStage(work, stage)) return;
  }
}

/** One step of a stage; false: it waits for something. */
function runStage(work: Work, index: number): boolean {
  const { step } = work.stage(index);
  switch (step) {
    case 'waiting':
      return enter(work, index);
    case 'entry':
      return judge(work, index, 'entry');
    case 'rolling':
      return roll(work, index);
    case 'soaking':
      return soak(work, index);
    case 'end':
      if (isUnsettled(work, index)) return backToRolling(work, index);
      return judge(work, index, 'end');
    case 'passed':
      work.rollout.stage = index + 1;
      work.touch();
      work.notify('stage-passed', `stage ${work.stage(index).name} has passed`);
      return true;
  }
}

function enter(work: Work, index: number): boolean {
  const nothing = !work.members(index).some(({ state }) => state === 'waiting');
  work.moveStage(
    index,
    nothing ? 'passed' : 'entry',
    nothing ? 'it has no target to move' : 'it is its turn',
  );
  return true;
}

function judge(work: Work, index: number, at: 'entry' | 'end'): boolean {
  const verdict = judgeGates(work, index, at);
  if (verdict === 'wait') return false;
  if (verdict === 'go') {
    work.moveStage(index, at === 'entry' ? 'rolling' : 'passed', 'its gates let it through');
    return true;
  }
  fail(work, index, verdict.failed, verdict.reason);
  return false;
}

function roll(work: Work, index: number): boolean {
  // What is bad with those that have the release ends the stage before more of it gets it.
  if (failsBySoak(work, index)) return false;
  passOverOffline(work, index);
  startDue(work, index, 'waiting');
  if (isUnsettled(work, index)) return false;
  const soaks = work.members(index).some(({ state }) => state === 'healthy');
  work.moveStage(index, soaks ? 'soaking' : 'end', soaks ? 'all of it is healthy' : 'all of it is done');
  return true;
}

function soak(work: Work, index: number): boolean {
  if (isUnsettled(work, index)) return backToRolling(work, index);
  if (failsBySoak(work, index)) return false;
  if (work.members(index).some(({ state }) => state === 'healthy')) return false;
  work.moveStage(index, 'end', 'it was healthy for its whole soak');
  return true;
}

function failsBySoak(work: Work, index: number): boolean {
  const verdict = judgeSoak(work, index);
  if (typeof verdict !== 'object') return false;
  fail(work, index, verdict.failed, verdict.reason);
  return true;
}

/** Something of it still has to start, or to become healthy. */
function isUnsettled(work: Work, index: number): boolean {
  return work.members(index).some((target) => target.state === 'waiting' || inFlight(target));
}

function backToRolling(work: Work, index: number): boolean {
  resetEndGates(work, index);
  work.moveStage(index, 'rolling', 'not all of it is healthy any more');
  return true;
}

function failsByBudget(work: Work): boolean {
  const { stages, stage: current } = work.rollout;
  for (let index = 0; index <= Math.min(current, stages.length - 1); index++) {
    const failed = work.members(index).filter((target) => target.counted && target.state === 'failed');
    const { tolerated, name } = work.stage(index);
    if (failed.length <= tolerated) continue;
    const last = failed.reduce((a, b) => (b.since > a.since ? b : a));
    const allowed = tolerated === 0 ? 'none may' : `${tolerated} may`;
    const reason = `${failed.length} of stage ${name} failed, ${allowed}; ${last.application} in ${last.cluster}: ${last.note}`;
    fail(work, index, 'budget', reason);
    return true;
  }
  return false;
}

/** The stage has failed. What nobody decided on in time is only stopped: nobody said that the release is bad. */
function fail(work: Work, index: number, kind: Failure['kind'], reason: string): void {
  const { onFailure, name } = work.policy(index);
  work.rollout.failure = { kind, stage: name, at: work.now, reason };
  work.notify('failed', reason);
  if (kind !== 'expired' && onFailure !== 'stop')
    return beginRollback(work, onFailure === 'rollback-all' ? 'all' : 'failed', reason);
  closeGates(work, 'the rollout has stopped');
  work.rollout.headHeld = true;
  work.movePhase('failed', reason);
  work.notify('head-held', `${work.rollout.to.label} is held back until there is a newer commit`);
}

export { fail as failStage };

/** What was left to come later gets the release now, connected or not: it is the last completed one. Windows hold that too. */
function complete(work: Work): void {
  const late = [...work.targets()].filter(({ state, holds, to }) => state === 'deferred' && holds !== to);
  if (late.length > 0 && policyHeld(work)) return;
  for (const target of late) {
    work.patch(target, { holds: target.to, touched: true, assignedAt: work.now });
    const release = work.rollout.to.id;
    work.actions.push({ kind: 'assign', target: target.id, digest: target.to, release, purpose: 'advance' });
  }
  work.movePhase('completed', 'all stages have passed');
}
