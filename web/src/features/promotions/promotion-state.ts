import type { PromotionChangeView, PromotionEnvironmentView, PromotionView } from '@muster/api';
import type { Tone } from '../../lib/tone.ts';

type ChangeState = PromotionChangeView['state'];

/** What each state of a change is called, its icon, and what it means to somebody on call. */
const STATES: Record<ChangeState, { word: string; icon: string; tone: Tone }> = {
  waiting: { word: 'waits', icon: 'waiting', tone: 'idle' },
  open: { word: 'pull request is open', icon: 'pull-request', tone: 'busy' },
  conflict: { word: 'conflicts', icon: 'failed', tone: 'bad' },
  failed: { word: 'failed', icon: 'failed', tone: 'bad' },
  done: { word: 'promoted', icon: 'done', tone: 'good' },
  closed: { word: 'closed', icon: 'out', tone: 'warn' },
  rejected: { word: 'rejected', icon: 'out', tone: 'warn' },
  expired: { word: 'expired', icon: 'waiting', tone: 'warn' },
  superseded: { word: 'superseded', icon: 'superseded', tone: 'idle' },
};

export interface Standing {
  /** In a word or two. */
  word: string;
  icon: string;
  tone: Tone;
}

/** How a change stands; what somebody has to decide on stands out. */
export function changeStanding({ state, asks }: Pick<PromotionChangeView, 'state' | 'asks'>): Standing {
  if (state === 'waiting' && asks && asks.count > 0)
    return { word: 'waits for an approval', icon: 'open', tone: 'warn' };
  return STATES[state];
}

/** What so many promotions do together that have somebody to ask. */
export const askingWords = (count: number): string =>
  count === 1 ? 'waits for an approval' : 'wait for an approval';

/** What a change waits for or how it ended, as a sentence; instants are the hub's. */
export function changeSays({ state, why }: Pick<PromotionChangeView, 'state' | 'why'>): string {
  if (state !== 'waiting') return why;
  return `Waits for ${why || 'its turn'}`;
}

/** How an environment itself stands: not what is on its way to it. */
export function environmentStanding({ passed }: Pick<PromotionEnvironmentView, 'passed'>): Standing {
  return passed
    ? { word: 'passed', icon: 'passed', tone: 'good' }
    : { word: 'not yet', icon: 'waiting', tone: 'idle' };
}

export interface PromotionStanding extends Standing {
  /** Where, and why. */
  says: string;
  since?: string;
}

const URGENCY: readonly Tone[] = ['bad', 'warn', 'busy', 'idle', 'good'];

/** What to see first of a promotion: what failed, then what somebody has to decide on, then what goes on. */
export function promotionStanding({
  paused,
  environments,
}: Pick<PromotionView, 'paused' | 'environments'>): PromotionStanding {
  const found = environments.flatMap((environment) => standingsOf(environment));
  const [first] = found.toSorted((a, b) => URGENCY.indexOf(a.tone) - URGENCY.indexOf(b.tone));
  if (paused && first?.tone !== 'bad')
    return {
      word: 'paused',
      icon: 'paused',
      tone: 'warn',
      says: `by ${paused.actor}${paused.reason ? `: ${paused.reason}` : ''}`,
      since: paused.at,
    };
  return (
    first ?? {
      word: 'at rest',
      icon: 'done',
      tone: 'good',
      says: 'Every environment has what passed before it.',
    }
  );
}

function standingsOf({
  name,
  passed,
  standing,
  current,
  last,
}: PromotionEnvironmentView): PromotionStanding[] {
  if (current) {
    const says = `${name}: ${changeSays(current)}`;
    return [{ ...changeStanding(current), says, since: current.since }];
  }
  if (last && STUCK.has(last.state))
    return [{ ...changeStanding(last), says: `${name}: ${last.why}`, since: last.since }];
  return passed ? [] : [{ ...environmentStanding({ passed }), says: `${name}: ${standing}` }];
}

/** It ended without reaching its environment, and comes again with a newer release or by hand. */
const STUCK: ReadonlySet<ChangeState> = new Set<ChangeState>(['closed', 'rejected', 'expired']);

/** `copied by a pull request`. */
export function howWords({ change, mode }: Pick<PromotionEnvironmentView, 'change' | 'mode'>): string {
  const what = { copy: 'files are copied', merge: 'branches are merged', set: 'fields are set' };
  const by = mode === 'commit' ? 'by a commit' : 'by a pull request';
  return change ? `${what[change]} ${by}` : '';
}

/** `main:envs/dev`. */
export function placeWords({ branch, path }: Pick<PromotionEnvironmentView, 'branch' | 'path'>): string {
  return path ? `${branch}:${path}` : branch;
}
