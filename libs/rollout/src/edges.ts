import type { GateState, Phase, StageStep, TargetState, Transition } from './types.ts';

/** Each state, and those that lead to it; `any`: whatever it was in before. */
type Ways<State extends string> = Readonly<Record<State, readonly State[] | 'any'>>;

const PHASES: Ways<Phase> = {
  pending: [],
  running: ['failed'],
  'rolling-back': ['running', 'failed'],
  failed: ['running', 'rolling-back'],
  completed: ['running'],
  'rolled-back': ['rolling-back'],
  aborted: ['pending', 'running', 'failed'],
  superseded: ['pending', 'running', 'failed'],
};

const STEPS: Ways<StageStep> = {
  waiting: [],
  entry: ['waiting'],
  rolling: ['entry', 'soaking', 'end'],
  soaking: ['rolling'],
  end: ['rolling', 'soaking'],
  passed: ['waiting', 'end'],
};

const GATES: Ways<GateState['status']> = {
  pending: ['open', 'passed', 'failed'],
  open: ['pending'],
  passed: ['open'],
  failed: ['open'],
  skipped: ['pending', 'open', 'failed'],
};

const TARGETS: Ways<TargetState> = {
  waiting: ['pinned', 'failed'],
  manual: ['pinned'],
  deferred: ['waiting', 'pinned', 'failed'],
  assigned: ['waiting', 'deferred', 'manual'],
  applied: ['assigned', 'healthy'],
  healthy: ['applied'],
  done: ['healthy'],
  failed: ['assigned', 'applied', 'healthy', 'done'],
  skipped: ['waiting', 'deferred', 'manual', 'failed', 'assigned', 'applied'],
  pinned: 'any',
  gone: 'any',
  reverting: 'any',
  restoring: ['reverting'],
  restored: ['restoring'],
  'restore-failed': ['restoring'],
  unproven: ['restoring'],
  kept: 'any',
};

const BY_SUBJECT: Readonly<Record<string, Readonly<Record<string, readonly string[] | 'any'>>>> = {
  rollout: PHASES,
  stage: STEPS,
  gate: GATES,
  target: TARGETS,
};

/** What is logged without a change of state. */
const NOTES = ['rollout paused', 'rollout going on', 'gate approved', 'target joined'] as const;

/** Every kind of transition that there is, as `edgeOf` names them. */
export const EDGES: readonly string[] = [
  ...Object.entries(BY_SUBJECT).flatMap(([subject, ways]) =>
    Object.entries(ways).flatMap(([to, from]) =>
      from === 'any' ? [named(subject, '*', to)] : from.map((one) => named(subject, one, to)),
    ),
  ),
  ...NOTES,
];

/** Which kind of transition it is: `target waiting→assigned`; also of one that there should not be. */
export function edgeOf({ subject, from, to, cause }: Transition): string {
  const kind = subject.split('/', 1)[0]!;
  if (kind === 'rollout' && (to === 'paused' || to === 'going on')) return `rollout ${to}`;
  if (kind === 'gate' && cause === 'approved') return 'gate approved';
  if (kind === 'target' && cause === JOINED) return 'target joined';
  return named(kind, BY_SUBJECT[kind]?.[to] === 'any' ? '*' : from, to);
}

/** Why a target is there that was not at the start. */
export const JOINED = 'it joined after the start';

function named(subject: string, from: string, to: string): string {
  return `${subject} ${from}→${to}`;
}
