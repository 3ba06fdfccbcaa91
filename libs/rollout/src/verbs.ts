import { failStage } from './stages.ts';
import { closeGates, gatesOf, policyHeld, resetGate, startsHeld } from './gates.ts';
import type { Gate } from './policy.ts';
import { beginRollback } from './rollback.ts';
import { start } from './starts.ts';
import type { By, FailureKind, GateState, RolloutState, Target, VerbEvent } from './types.ts';
import { Work, hasEnded, inFlight } from './work.ts';

/** Why a verb makes no sense now, in one sentence; undefined: it is carried out. */
export function refusal({ rollout, targets }: RolloutState, verb: VerbEvent): string | undefined {
  return plan(new Work({ rollout, targets }, rollout.clock), verb).refused;
}

/** Carries out what a person asks for; what makes no sense is left alone. */
export function obey(work: Work, verb: VerbEvent): void {
  plan(work, verb).run?.();
}

interface Plan {
  refused?: string;
  run?: () => void;
}

function plan(work: Work, verb: VerbEvent): Plan {
  const { phase } = work.rollout;
  if (hasEnded(phase)) return { refused: `the rollout has ended (${phase})` };
  switch (verb.kind) {
    case 'pause':
      if (work.rollout.paused) return { refused: 'it is paused already' };
      return { run: () => setPaused(work, verb) };
    case 'resume':
      if (!work.rollout.paused) return { refused: 'it is not paused' };
      return { run: () => setPaused(work, verb) };
    case 'approve':
    case 'reject':
      return planVote(work, verb);
    case 'skip':
      return planSkip(work, verb);
    case 'retry':
      return planRetry(work, verb);
    case 'start':
      return planStart(work, verb);
    case 'abort':
      if (phase === 'rolling-back') return { refused: 'it is rolling back; pause it to hold that' };
      return { run: () => abort(work, verb) };
    case 'undo':
      if (phase === 'pending') return { refused: 'nothing has been touched yet; abort it' };
      if (work.rollout.rollback) return { refused: 'it was taken back already' };
      return { run: () => beginRollback(work, 'all', 'taken back by hand', byOf(verb)) };
  }
}

function byOf({ actor, reason }: By): By {
  return { actor, reason };
}

function setPaused(work: Work, verb: VerbEvent & { kind: 'pause' | 'resume' }): void {
  const by = byOf(verb);
  const pausing = verb.kind === 'pause';
  work.note(
    'rollout',
    pausing ? 'going on' : 'paused',
    pausing ? 'paused' : 'going on',
    `${verb.kind}d by hand`,
    by,
  );
  work.rollout.paused = pausing ? { ...by, since: work.now } : null;
}

function abort(work: Work, verb: By): void {
  work.rollout.headHeld = work.rollout.phase !== 'pending';
  closeGates(work, 'ended by hand');
  work.movePhase('aborted', 'ended by hand', byOf(verb));
}

function findGate(
  work: Work,
  stage: string,
  gate: string,
): { index: number; gate: Gate; state: GateState } | undefined {
  const index = work.rollout.stages.findIndex(({ name }) => name === stage);
  const found = index < 0 ? undefined : gatesOf(work, index).find(([{ name }]) => name === gate);
  return found && { index, gate: found[0], state: found[1] };
}

function planVote(work: Work, verb: VerbEvent & { kind: 'approve' | 'reject' }): Plan {
  const found = findGate(work, verb.stage, verb.gate);
  if (!found) return { refused: `stage "${verb.stage}" has no gate "${verb.gate}"` };
  const { gate, state, index } = found;
  if (gate.kind !== 'approval') return { refused: `"${gate.name}" is no approval` };
  if (state.status !== 'open') return { refused: `approval is not asked for: the gate is ${state.status}` };
  if (work.now >= state.until!) return { refused: 'the time to decide is over' };
  if (gate.groups.length > 0 && !gate.groups.some((group) => verb.groups.includes(group)))
    return { refused: `${verb.actor} is in none of ${gate.groups.join(', ')}` };
  if (verb.kind === 'reject') return { run: () => reject(work, index, state, verb) };
  if (state.approvals.some(({ actor }) => actor === verb.actor))
    return { refused: `${verb.actor} has approved it already` };
  return {
    run: () => {
      const { actor, reason } = verb;
      state.approvals = [...state.approvals, { actor, reason, at: work.now }];
      const subject = `gate/${verb.stage}/${verb.gate}`;
      const [before, after] = [state.approvals.length - 1, state.approvals.length];
      work.note(subject, `${before} of ${gate.count}`, `${after} of ${gate.count}`, 'approved', byOf(verb));
    },
  };
}

function reject(work: Work, index: number, state: GateState, verb: By): void {
  const reason = `${verb.actor} rejected "${state.name}"${verb.reason ? `: ${verb.reason}` : ''}`;
  work.moveGate(index, state, 'failed', reason, byOf(verb));
  failStage(work, index, 'rejected', reason);
}

const SKIPPABLE = new Set<Target['state']>(['waiting', 'deferred', 'manual', 'failed']);

function planSkip(work: Work, verb: VerbEvent & { kind: 'skip' }): Plan {
  const { what } = verb;
  const cause = 'passed over by hand';
  if ('target' in what) {
    const target = work.target(what.target);
    if (!target) return { refused: `"${what.target}" is no target of this rollout` };
    if (!SKIPPABLE.has(target.state) && !inFlight(target)) return { refused: `it is ${target.state}` };
    return { run: () => void work.move(target, 'skipped', cause, {}, byOf(verb)) };
  }
  if (what.gate !== undefined) {
    const found = findGate(work, what.stage, what.gate);
    if (!found) return { refused: `stage "${what.stage}" has no gate "${what.gate}"` };
    return planSkipGate(work, verb, found);
  }
  const index = work.rollout.stages.findIndex(({ name }) => name === what.stage);
  const waiting = index < 0 ? [] : work.members(index).filter(({ state }) => state === 'waiting');
  if (waiting.length === 0) return { refused: `nothing waits in stage "${what.stage}"` };
  return {
    run: () => {
      for (const target of waiting) work.move(target, 'skipped', cause, {}, byOf(verb));
    },
  };
}

/** One that has failed is passed over too: where nothing else stopped the rollout it goes on. */
function planSkipGate(
  work: Work,
  verb: VerbEvent & { kind: 'skip' },
  { index, state }: { index: number; state: GateState },
): Plan {
  if (work.rollout.rollback) return { refused: 'it was taken back: its gates decide nothing any more' };
  if (state.status === 'passed' || state.status === 'skipped')
    return { refused: `the gate is ${state.status}` };
  return {
    run: () => {
      work.moveGate(index, state, 'skipped', 'passed over by hand', byOf(verb));
      if (stoppedByGates(work) && failedGates(work).length === 0) goOn(work, verb, 'passed over by hand');
    },
  };
}

const BY_GATE: ReadonlySet<FailureKind> = new Set(['gate', 'rejected', 'expired']);

/** The rollout has stopped, and nothing but a gate stopped it. */
function stoppedByGates({ rollout: { phase, failure } }: Work): boolean {
  return phase === 'failed' && failure !== null && BY_GATE.has(failure.kind);
}

function goOn(work: Work, verb: By, cause: string): void {
  work.rollout.failure = null;
  work.rollout.headHeld = false;
  work.movePhase('running', cause, byOf(verb));
}

function planRetry(work: Work, verb: VerbEvent & { kind: 'retry' }): Plan {
  const { phase, rollback } = work.rollout;
  if (rollback) return { refused: 'it was taken back; begin a new rollout of the release instead' };
  if (phase === 'pending') return { refused: 'it has not begun' };
  const chosen = verb.targets && new Set(verb.targets);
  const failed = [...work.targets()].filter(
    ({ id, state }) => state === 'failed' && (!chosen || chosen.has(id)),
  );
  const gates = chosen ? [] : failedGates(work);
  if (failed.length + gates.length === 0) return { refused: 'nothing of it has failed' };
  return {
    run: () => {
      for (const target of failed) {
        const late = work.isLate(target) || !target.counted;
        const to = target.stage === null ? 'manual' : late ? 'deferred' : 'waiting';
        work.move(target, to, 'tried again by hand', {}, byOf(verb));
      }
      for (const { index, state } of gates) resetGate(work, index, state, 'tried again by hand');
      if (phase === 'failed') goOn(work, verb, 'tried again by hand');
    },
  };
}

function failedGates(work: Work) {
  return work.rollout.stages.flatMap((_, index) =>
    gatesOf(work, index)
      .filter(([, state]) => state.status === 'failed')
      .map(([, state]) => ({ index, state })),
  );
}

function planStart(work: Work, verb: VerbEvent & { kind: 'start' }): Plan {
  const { phase, paused, stage } = work.rollout;
  if (phase !== 'running' || paused) return { refused: `the rollout is ${paused ? 'paused' : phase}` };
  const held =
    stage < work.rollout.stages.length &&
    work.stage(stage).step === 'rolling' &&
    work.stage(stage).slots === 0;
  const targets = verb.targets.map((id) => ({ id, target: work.target(id) }));
  for (const { id, target } of targets) {
    if (!target) return { refused: `"${id}" is no target of this rollout` };
    const byHand =
      target.state === 'manual' || (held && target.state === 'waiting' && target.stage === stage);
    if (!byHand) return { refused: `"${id}" is ${target.state}; its stage starts it` };
    if (!target.connected) return { refused: `the agent of "${id}" is not connected` };
    if (target.blocked) return { refused: `"${id}" is held back: ${target.blocked.reason}` };
    if (target.window)
      return { refused: `a window of the project of "${id}" is closed: ${target.window.reason}` };
    const window = target.stage === null ? policyHeld(work) : startsHeld(work, target.stage);
    if (window) return { refused: `"${id}" is ${window.reason}` };
  }
  return {
    run: () => {
      for (const { target } of targets) if (target) start(work, target, 'started by hand', byOf(verb));
    },
  };
}
