import { shortCommit } from '@muster/api/commits';
import { TARGET_GROUPS, type TargetGroup } from '@muster/api/rollout-groups';
import type {
  ApplicationView,
  RolloutDetail,
  RolloutGateView,
  RolloutPhase,
  RolloutStageSummary,
  RolloutView,
} from '@muster/api';
import { clockTime } from '../../lib/time.ts';
import type { Tone } from '../../lib/tone.ts';

/** What each phase is called, and what it means to somebody on call. */
const PHASES: Record<RolloutPhase, { word: string; tone: Tone }> = {
  pending: { word: 'waits for its turn', tone: 'idle' },
  running: { word: 'on its way', tone: 'busy' },
  'rolling-back': { word: 'being taken back', tone: 'bad' },
  failed: { word: 'stopped', tone: 'bad' },
  completed: { word: 'complete', tone: 'good' },
  'rolled-back': { word: 'taken back', tone: 'warn' },
  aborted: { word: 'ended by hand', tone: 'idle' },
  superseded: { word: 'superseded', tone: 'idle' },
};

export const PHASE_NAMES = Object.keys(PHASES) as RolloutPhase[];
export const phaseWord = (phase: RolloutPhase): string => PHASES[phase].word;

/** A pause is what to see first, unless something has failed. */
export function phaseTone({ phase, paused }: Pick<RolloutView, 'phase' | 'paused'>): Tone {
  const { tone } = PHASES[phase];
  return paused && tone !== 'bad' ? 'warn' : tone;
}

const ENDED: ReadonlySet<RolloutPhase> = new Set(['completed', 'rolled-back', 'aborted', 'superseded']);
export const hasEnded = ({ phase }: Pick<RolloutView, 'phase'>): boolean => ENDED.has(phase);

export const GROUPS = Object.keys(TARGET_GROUPS) as TargetGroup[];
export const GROUP_WORDS: Record<TargetGroup, { word: string; tone: Tone }> = {
  failed: { word: 'failed', tone: 'bad' },
  moving: { word: 'moving', tone: 'busy' },
  waiting: { word: 'waiting', tone: 'idle' },
  back: { word: 'taken back', tone: 'warn' },
  done: { word: 'done', tone: 'good' },
  out: { word: 'left out', tone: 'warn' },
};

/** What a group is called; once a rollout has ended, nothing waits any more. */
export function groupWord(group: TargetGroup, ended: boolean): string {
  return group === 'waiting' && ended ? 'not reached' : GROUP_WORDS[group].word;
}

/** A state that is not known yet counts as moving: somebody should look. */
export function groupOf(state: string): TargetGroup {
  return GROUPS.find((group) => (TARGET_GROUPS[group] as readonly string[]).includes(state)) ?? 'moving';
}

export type GroupCounts = Record<TargetGroup, number>;

/** How many targets of a stage, or of several, are in each group. */
export function groupCounts(stages: readonly Pick<RolloutStageSummary, 'states'>[]): GroupCounts {
  const counts: GroupCounts = { failed: 0, moving: 0, waiting: 0, back: 0, done: 0, out: 0 };
  for (const { states } of stages)
    for (const [state, count] of Object.entries(states)) counts[groupOf(state)] += count;
  return counts;
}

/** What a stage's bar says to who does not see it: `canary: 1 done, 2 moving`. */
export function stageWords({ name, step, size, states }: RolloutStageSummary): string {
  const counts = groupCounts([{ states }]);
  const parts = GROUPS.filter((group) => counts[group] > 0).map(
    (group) => `${counts[group]} ${GROUP_WORDS[group].word}`,
  );
  if (parts.length > 0) return `${name}: ${parts.join(', ')}`;
  return `${name}: ${step === 'passed' ? 'passed' : STEP_WORDS[step]}, ${size} ${size === 1 ? 'target' : 'targets'}`;
}

export const STEP_WORDS: Record<RolloutStageSummary['step'], string> = {
  waiting: 'not begun',
  entry: 'waits at its entry',
  rolling: 'rolling',
  soaking: 'soaking',
  end: 'waits at its end',
  passed: 'passed',
};

/** Where a stage is; of a rollout that has ended or goes back only how that stage ended. Empty: it never ran to an end. */
export function stepWord(
  { name, step }: Pick<RolloutStageSummary, 'name' | 'step'>,
  rollout: Pick<RolloutDetail, 'phase' | 'failedStage'>,
): string {
  if (name === rollout.failedStage) return 'failed';
  const goes = rollout.phase === 'running' || rollout.phase === 'pending';
  return goes || step === 'passed' ? STEP_WORDS[step] : '';
}

/** What targets are called in a state, where its own name says little. */
const STATES: Record<string, string> = {
  manual: 'started by hand',
  deferred: 'comes later',
  healthy: 'soaking',
  reverting: 'goes back next',
  'restore-failed': 'could not go back',
  unproven: 'went back, unproven',
  kept: 'kept, nothing to go back to',
  gone: 'gone with its cluster',
};
export const stateWord = (state: string): string => STATES[state] ?? state;

type Release = RolloutView['to'];

/** `#12`, or what it is called where its number is not known. */
export const releaseName = ({ number, label }: Release): string =>
  number === undefined ? label : `#${number}`;

/** Commit and subject of a release, as far as they are known. */
export function releaseWords({ commit, message, label }: Release): string {
  const words = [commit && shortCommit(commit), message?.split('\n', 1)[0]].filter(Boolean);
  return words.length > 0 ? words.join(' ') : label;
}

/** The name of `Ada <ada@example.com>`. */
export const authorName = (author: string): string => author.replace(/\s*<[^<>]*>$/, '') || author;

/** What stands beside an Application that a rollout decides about. */
export interface Badge {
  word: string;
  tone: Tone;
  /** One sentence. */
  says: string;
}

/** A pin comes before every rollout; undefined: neither decides about it. */
export function badgeOf({ pinned, rollout }: Pick<ApplicationView, 'pinned' | 'rollout'>): Badge | undefined {
  if (!pinned) return rollout && rolloutBadge(rollout);
  const { by, reason, release } = pinned;
  const at = release ? ` at release #${release.number}` : '';
  const says = `Kept${at} by ${by}${reason ? `: ${reason}` : ''}. No rollout and no newer release moves it.`;
  return { word: 'pinned', tone: 'warn', says };
}

function rolloutBadge(rollout: NonNullable<ApplicationView['rollout']>): Badge {
  const { state, reason, paused } = rollout;
  const because = reason ? `: ${reason}` : '';
  if (state === 'held')
    return { word: 'held', tone: 'warn', says: `Kept from its newest release${because}.` };
  if (state === 'pinned') return { word: 'pinned', tone: 'warn', says: `Pinned by an operator${because}.` };
  const group = groupOf(state);
  const pause = paused ? ' The rollout is paused.' : '';
  if (group === 'failed')
    return { word: 'failed', tone: 'bad', says: `The rollout failed here${because}.${pause}` };
  if (state === 'reverting' || state === 'restoring')
    return { word: 'going back', tone: 'warn', says: `It is taken back${because}.${pause}` };
  if (group === 'waiting')
    return {
      word: paused ? 'paused' : 'waits',
      tone: paused ? 'warn' : 'idle',
      says: `${state === 'manual' ? 'It is started by hand' : 'Its turn has not come'}${because}.${pause}`,
    };
  if (group === 'moving')
    return {
      word: stateWord(state),
      tone: 'busy',
      says: `The release is on its way here${because}.${pause}`,
    };
  return { word: stateWord(state), tone: 'idle', says: `${stateWord(state)}${because}.${pause}` };
}

/** A rollout is at work on it, as it should be: that it differs from its newest release is no news. */
export function isUnderWay(rollout: ApplicationView['rollout']): boolean {
  if (!rollout || rollout.paused || rollout.phase !== 'running') return false;
  const group = groupOf(rollout.state);
  return group === 'waiting' || group === 'moving';
}

const GATE_TONES: Record<RolloutGateView['status'], Tone> = {
  pending: 'idle',
  open: 'warn',
  passed: 'good',
  failed: 'bad',
  skipped: 'idle',
};
export const gateTone = ({ status }: Pick<RolloutGateView, 'status'>): Tone => GATE_TONES[status];

/** How far a gate is, in words. */
export function gateWords({
  kind,
  status,
  count = 1,
  approvals,
  over,
  measuredFrom,
  unknownSince,
}: RolloutGateView): string {
  if (over === 'never-reached') return 'never reached';
  if (over === 'undecided') return 'not decided';
  if (measuredFrom) return `measured from ${clockTime(measuredFrom)}`;
  if (unknownSince && status === 'open') return 'not measurable';
  if (kind === 'approval' && status === 'open') return `${approvals.length} of ${count} approved`;
  return { pending: 'not asked yet', open: 'open', passed: 'passed', failed: 'failed', skipped: 'skipped' }[
    status
  ];
}
