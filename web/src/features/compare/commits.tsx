import type { CommitRange } from '@muster/api';
import { shortCommit } from '@muster/api/commits';
import { Ago } from '../../ui/parts.tsx';
import { authorName } from '../rollouts/rollout-state.ts';

const DIRECTIONS = {
  forward: '',
  back: 'B is older than A.',
  apart: 'Each has commits that the other has not.',
  unknown: '',
} as const;

/** The commits that lie between the two, of each repository. */
export function Commits({ ranges }: { ranges: readonly CommitRange[] }) {
  if (ranges.length === 0) return null;
  return (
    <section aria-label="Commits" className="px-4 pt-4">
      <h3 className="mb-1.5 text-xs font-semibold text-muted">Commits</h3>
      {ranges.map((range) => (
        <Range key={`${range.repository} ${range.from} ${range.to}`} range={range} />
      ))}
    </section>
  );
}

function Range({ range: { repository, from, to, direction, commits, more, error } }: { range: CommitRange }) {
  return (
    <div className="mb-2">
      <p className="break-words text-muted">
        <code className="font-mono text-xs">
          {from === undefined ? 'none' : shortCommit(from)} → {to === undefined ? 'none' : shortCommit(to)}
        </code>{' '}
        of {repository}. {DIRECTIONS[direction]}
      </p>
      <ol className="mt-0.5 space-y-0.5">
        {commits.map(({ commit, subject, author, at, on }) => (
          <li key={commit} className="grid grid-cols-[1rem_4rem_1fr] items-baseline gap-x-2">
            <span className={on === 'a' ? 'text-bad' : 'text-good'} title={`only in ${on.toUpperCase()}`}>
              {on === 'a' ? '−' : '+'}
              <span className="sr-only">only in {on.toUpperCase()}</span>
            </span>
            <code className="font-mono text-xs" title={commit}>
              {shortCommit(commit)}
            </code>
            <span className="min-w-0 break-words">
              {subject}{' '}
              <span className="text-muted">
                {authorName(author)}, <Ago at={at} suffix=" ago" />
              </span>
            </span>
          </li>
        ))}
      </ol>
      {more && <p className="text-muted">… and more.</p>}
      {error && <p className="break-words text-warn">{error}</p>}
    </div>
  );
}
