import type { ApprovalCheck } from '../policy.ts';
import { windowVerdict } from '../windows.ts';
import { instant, removalText } from '../words.ts';
import type { PromotionChange, ChangeStep, Environment, EnvironmentStanding } from './promotion.ts';

export interface ChangeFacts {
  environment: Environment;
  /** The name of the environment before it. */
  before: string;
  standing: EnvironmentStanding;
  /** The one that has not ended. */
  current: PromotionChange | undefined;
  /** The newest that has ended. */
  last: Pick<PromotionChange, 'release' | 'state'> | undefined;
  paused: { actor: string; reason: string } | null;
  now: number;
}

/** What to do about one environment now. Pure: what it says is done by whoever asked, who asks again after that. */
export function decideChange(facts: ChangeFacts): ChangeStep {
  const { before, standing, current, last, paused } = facts;
  if (standing.kind === 'passed') {
    const known = current ?? last;
    // What was rejected, closed or done comes again with a newer release, or by hand.
    // An environment that was taken out and is back begins anew.
    if (known?.release !== standing.release || known.state === 'superseded') {
      if (!paused) return { kind: 'begin' };
      return current?.state === 'open' ? { kind: 'watch' } : pausedBy(paused);
    }
  }
  if (!current) {
    if (standing.kind === 'not-yet') return { kind: 'nothing', why: `${before}: ${standing.why}` };
    return { kind: 'nothing', why: `release ${standing.number} of ${before}: ${ENDED[last!.state]}` };
  }
  switch (current.state) {
    case 'waiting':
      return passGates(facts, current);
    case 'open':
      return { kind: 'watch' };
    case 'conflict':
    case 'failed':
      if (paused) return pausedBy(paused);
      return current.retryAt !== null && current.retryAt > facts.now
        ? { kind: 'wait', why: '', until: current.retryAt }
        : { kind: 'apply' };
    default:
      return { kind: 'nothing', why: ENDED[current.state] };
  }
}

/** The approval that a change needs; null: none. */
export function approvalFor(
  { approval, pruneApproval }: Environment,
  removals: PromotionChange['removals'],
): ApprovalCheck | null {
  if (approval) return approval;
  return removals && removals.count > 0 ? pruneApproval : null;
}

function passGates(
  { environment, before, standing, paused, now }: ChangeFacts,
  current: PromotionChange,
): ChangeStep {
  const approval = approvalFor(environment, current.removals);
  const missing = approval ? approval.count - current.approvals.length : 0;
  if (approval && missing > 0) {
    const until = current.createdAt + approval.expiresMs;
    if (until <= now) return { kind: 'expire', why: 'nobody decided on it in time' };
    const whose = approval.groups.length > 0 ? ` of ${approval.groups.join(' or ')}` : '';
    const gone =
      current.removals && current.removals.count > 0 ? `; it ${removalText(current.removals)}` : '';
    const why = `${missing} ${missing === 1 ? 'approval' : 'approvals'}${whose} until ${instant(until)}${gone}`;
    return { kind: 'wait', why, until };
  }
  if (paused) return pausedBy(paused);
  if (standing.kind === 'not-yet') return { kind: 'wait', why: `${before}: ${standing.why}`, until: null };
  const soaked = standing.since + environment.soakMs;
  if (soaked > now)
    return { kind: 'wait', why: `the soak of ${before} until ${instant(soaked)}`, until: soaked };
  const verdict = windowVerdict(environment.windows, now);
  if (!verdict.open) return { kind: 'wait', why: `a window, ${verdict.reason}`, until: verdict.untilMs };
  return { kind: 'apply' };
}

function pausedBy({ actor, reason }: { actor: string; reason: string }): ChangeStep {
  return {
    kind: 'wait',
    why: `${actor} to resume it${reason ? ` (paused: ${reason})` : ''}`,
    until: null,
  };
}

const ENDED: Record<PromotionChange['state'], string> = {
  waiting: 'it waits',
  open: 'its pull request is open',
  conflict: 'it conflicts',
  failed: 'it failed',
  done: 'promoted',
  closed: 'its pull request was closed: a newer release, or retry, opens another',
  rejected: 'rejected: a newer release, or retry, asks again',
  expired: 'nobody decided on it in time: a newer release, or retry, asks again',
  superseded: 'a newer release took its place',
};
