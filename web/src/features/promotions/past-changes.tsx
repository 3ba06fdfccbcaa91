import type { PromotionChangeView } from '@muster/api';
import { shortCommit } from '@muster/api/commits';
import { Ago, StateWord } from '../../ui/parts.tsx';
import { inLocalTime } from '../rollouts/hub-time.ts';
import { changeStanding } from './promotion-state.ts';
import { PullRequestLink } from './pull-request-link.tsx';

/** Changes that have ended, newest first. */
export function PastChanges({ changes }: { changes: readonly PromotionChangeView[] }) {
  return (
    <section aria-label="What happened" className="px-4 pt-5">
      <h3 className="mb-1.5 text-xs font-semibold text-muted">What happened</h3>
      {changes.length === 0 && <p className="text-muted">No change has ended yet.</p>}
      <ol className="space-y-1">
        {changes.map((change) => {
          const { id, environment, release, commit, endedAt, why, approvals, pullRequest } = change;
          const { word, icon, tone } = changeStanding(change);
          return (
            <li key={id} className="grid gap-x-3 sm:grid-cols-[7.5rem_1fr]">
              <span className="text-muted">{endedAt && <Ago at={endedAt} suffix=" ago" />}</span>
              <p className="min-w-0 break-words">
                <span className="font-medium">{environment}</span>: release {release}{' '}
                <code className="font-mono text-xs text-muted" title={commit}>
                  {shortCommit(commit)}
                </code>{' '}
                <StateWord word={icon} tone={tone}>
                  {word}
                </StateWord>{' '}
                <span className="text-muted">{inLocalTime(why, Date.now())}</span>
                {approvals.length > 0 && (
                  <span className="text-muted">
                    {' '}
                    · approved by {approvals.map(({ actor }) => actor).join(', ')}
                  </span>
                )}
                {pullRequest && (
                  <>
                    {' '}
                    <PullRequestLink pullRequest={pullRequest} />
                  </>
                )}
              </p>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
