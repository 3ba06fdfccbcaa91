import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { CheckField } from '../../ui/field.tsx';
import { ErrorNotice, StaleNotice } from '../../ui/notice.tsx';
import { Ago, Button, Skeleton } from '../../ui/parts.tsx';
import { type LogLine, logLines, subjectWords } from './log-lines.ts';
import { rolloutLogQuery } from './queries.ts';
import { stateWord } from './rollout-state.ts';

/** How it came about: every transition with its cause, newest first. */
export function Log({ id }: { id: string }) {
  const query = useInfiniteQuery(rolloutLogQuery(id));
  const { data, error, dataUpdatedAt, hasNextPage, isFetchingNextPage } = query;
  const [brief, setBrief] = useState(false);
  const all = useMemo(() => logLines(data?.pages.flatMap(({ items }) => items) ?? []), [data]);
  const lines = brief ? all.filter(({ kind }) => kind !== 'target') : all;
  const again = () => void query.refetch();
  return (
    <section aria-label="Log" className="px-4 pt-5">
      <div className="mb-1.5 flex flex-wrap items-center gap-x-4">
        <h3 className="text-xs font-semibold text-muted">What happened</h3>
        <CheckField checked={brief} onChange={setBrief}>
          Without single targets
        </CheckField>
      </div>
      {error && data && <StaleNotice error={error} at={dataUpdatedAt} retry={again} />}
      {error && !data && <ErrorNotice error={error} retry={again} />}
      {!data && !error && <Skeleton className="h-24" />}
      <ol className="space-y-1">
        {lines.map((line) => (
          <Line key={line.key} line={line} />
        ))}
      </ol>
      {data && lines.length === 0 && <p className="text-muted">Nothing has happened yet.</p>}
      {hasNextPage && (
        <Button className="mt-2" disabled={isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {isFetchingNextPage ? 'Reading more …' : 'Show older ones'}
        </Button>
      )}
    </section>
  );
}

function Line({ line }: { line: LogLine }) {
  const { at, kind, from, to, cause, actor, reason } = line;
  const words = kind === 'target' ? stateWord : (text: string) => text;
  return (
    <li className="grid gap-x-3 sm:grid-cols-[7.5rem_1fr]">
      <span className="text-muted">
        <Ago at={at} suffix=" ago" />
      </span>
      <p className="min-w-0 break-words">
        <span
          className={kind === 'target' ? '' : 'font-medium'}
          title={line.subjects.slice(0, 100).join('\n')}
        >
          {subjectWords(line)}
        </span>
        : <span className="text-muted">{words(from)} →</span> {words(to)}
        <span className="text-muted"> · {cause}</span>
        {actor && (
          <span>
            {' '}
            by {actor}
            {reason && `: “${reason}”`}
          </span>
        )}
      </p>
    </li>
  );
}
