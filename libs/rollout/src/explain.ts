import { type Blocker, policyBlockers, rollbackBlockers, stageBlockers } from './blockers.ts';
import { gatesOf, measuredFrom } from './gates.ts';
import { instant, removalText } from './words.ts';
import type { Phase, Removals, RolloutState, StageStep, TargetState } from './types.ts';
import { nextWake } from './wake.ts';
import { Work, hasEnded } from './work.ts';

export interface StageSummary {
  name: string;
  step: StageStep;
  since: number;
  /** Targets that count: neither pinned nor gone, and not those that came later. */
  size: number;
  done: number;
  states: Partial<Record<TargetState, number>>;
  /** What the release prunes in it. */
  removes?: Removals;
}

/** Where a rollout is, what it waits for, and what comes next. */
export interface Explanation {
  phase: Phase;
  paused: boolean;
  /** One line that says it all. */
  headline: string;
  since: number;
  /** The one that runs; null: none does. */
  stage: (StageSummary & { index: number; of: number }) | null;
  stages: StageSummary[];
  done: number;
  total: number;
  waitingFor: Blocker[];
  next: { what: string; at: number | null };
  /** For a terminal: the headline, what is waited for, what comes next. */
  lines: string[];
}

/** Says which stage runs, who is done, who is waited for and why, since when, and what happens next and when. */
export function explain(state: RolloutState, now: number): Explanation {
  const work = new Work(state, now);
  const { rollout } = work;
  const stages = rollout.stages.map((_, index) => summary(work, index));
  const index = rollout.phase === 'running' && rollout.stage < stages.length ? rollout.stage : undefined;
  const stage = index === undefined ? null : { ...stages[index]!, index, of: stages.length };
  const total = stages.reduce((sum, one) => sum + one.size, 0);
  const done = stages.reduce((sum, one) => sum + one.done, 0);
  const waitingFor = blockers(work);
  const next = { what: nextText(work, waitingFor), at: nextWake(work) };
  const headline = headlineOf(work, stage, done, total);
  return {
    phase: rollout.phase,
    paused: rollout.paused !== null,
    headline,
    since: rollout.since,
    stage,
    stages,
    done,
    total,
    waitingFor,
    next,
    lines: [
      headline,
      ...waitingFor.map((one) => `waits for ${one.text}`),
      // At its entry the approval that is waited for says so.
      ...stages.flatMap(({ name, step, removes }) =>
        removes && step !== 'entry' ? [`in ${name} it ${removalText(removes)}`] : [],
      ),
      `next: ${next.what}${next.at === null ? '' : ` (next look at ${instant(next.at)})`}`,
    ],
  };
}

/** Gates of the running stage that wait before they measure, and until when. */
export function delayedGates(state: RolloutState, now: number): ReadonlyMap<string, number> {
  const work = new Work(state, now);
  const { phase, stage, stages } = work.rollout;
  if (phase !== 'running' || stage >= stages.length) return new Map();
  return new Map(
    gatesOf(work, stage).flatMap(([gate, gateState]) => {
      const from = measuredFrom(work, stage, gate, gateState);
      return from === null ? [] : [[gate.name, from] as const];
    }),
  );
}

/** What blocks a rollout, from the outside in: a pause hides nothing of what comes after it. */
function blockers(work: Work): Blocker[] {
  const { rollout } = work;
  if (hasEnded(rollout.phase)) return [];
  const all: Blocker[] = [];
  if (rollout.paused) {
    const { actor, reason, since } = rollout.paused;
    const text = `${actor} to resume it${reason ? ` (paused: ${reason})` : ''}`;
    all.push({ what: 'paused', who: [actor], count: 1, text, since, until: null });
  }
  if (rollout.phase === 'pending')
    all.push({ what: 'turn', who: [], count: 1, text: 'its turn', since: rollout.since, until: null });
  if (rollout.phase === 'failed') all.push(decision(work));
  if (rollout.phase === 'rolling-back') all.push(...rollbackBlockers(work));
  if (rollout.phase === 'running' && rollout.stage < rollout.stages.length)
    all.push(...stageBlockers(work, rollout.stage));
  // All stages have passed: only what comes later is left, and windows hold it.
  if (rollout.phase === 'running' && rollout.stage === rollout.stages.length)
    all.push(...policyBlockers(work));
  return all;
}

function decision({ rollout }: Work): Blocker {
  // Approvals are passed over by admins only: that is no way to advise.
  const skips = rollout.stages.some(({ gates }, stage) =>
    gates.some(
      ({ status }, i) => status === 'failed' && rollout.policy.stages[stage]!.gates[i]?.kind !== 'approval',
    ),
  );
  const verbs = rollout.rollback
    ? 'a newer release, or abort'
    : `a newer release, or retry, ${skips ? 'skip of its gate, ' : ''}undo or abort`;
  const text = `${verbs}: ${rollout.failure?.reason ?? 'it has failed'}`;
  return { what: 'decision', who: [], count: 1, text, since: rollout.since, until: null };
}

function summary(work: Work, index: number): StageSummary {
  const { name, step, since, removes } = work.stage(index);
  const states: StageSummary['states'] = {};
  let [size, done] = [0, 0];
  for (const { state, counted } of work.members(index)) {
    states[state] = (states[state] ?? 0) + 1;
    if (!counted || state === 'pinned' || state === 'gone') continue;
    size += 1;
    if (state === 'done') done += 1;
  }
  return { name, step, since, size, done, states, ...(removes ? { removes } : {}) };
}

function headlineOf(work: Work, stage: Explanation['stage'], done: number, total: number): string {
  const { rollout } = work;
  const paused = rollout.paused ? ', paused' : '';
  const held = rollout.headHeld ? `; ${rollout.to.label} is held back` : '';
  const at = stage ? `, stage ${stage.name} (${stage.index + 1} of ${stage.of}) is ${STEPS[stage.step]}` : '';
  return `${rollout.to.label} is ${PHASES[rollout.phase]}${paused}${at}: ${done} of ${total} done${held}`;
}

const PHASES: Record<Phase, string> = {
  pending: 'waiting for its turn',
  running: 'on its way',
  'rolling-back': 'being taken back',
  failed: 'stopped after a failure',
  completed: 'everywhere',
  'rolled-back': 'taken back',
  aborted: 'ended by hand',
  superseded: 'replaced by a newer release',
};

const STEPS: Record<StageStep, string> = {
  waiting: 'not begun',
  entry: 'at its entry',
  rolling: 'rolling',
  soaking: 'soaking',
  end: 'at its end',
  passed: 'passed',
};

function nextText(work: Work, waitingFor: readonly Blocker[]): string {
  const { rollout } = work;
  if (hasEnded(rollout.phase)) return rollout.headHeld ? 'nothing before a newer commit' : 'nothing';
  if (rollout.paused) return 'nothing before it is resumed';
  switch (rollout.phase) {
    case 'pending':
      return 'it begins when the rollout before it has ended';
    case 'failed':
      return 'nothing by itself';
    case 'rolling-back':
      return 'it ends when every target has been tried once';
    default:
      return nextOfStage(work, waitingFor);
  }
}

function nextOfStage(work: Work, waitingFor: readonly Blocker[]): string {
  const { stage, stages } = work.rollout;
  const following = stages[stage + 1]?.name;
  const after = following ? `stage ${following} follows` : 'the rollout is complete';
  const step = stages[stage]?.step;
  if (step === 'entry') return `stage ${stages[stage]!.name} starts its first targets`;
  if (step === 'end' || step === 'soaking') return after;
  const soakMs = work.rollout.policy.stages[stage]?.soakMs ?? 0;
  return waitingFor.length > 0 && soakMs > 0 ? `its soak, then ${after}` : after;
}
