import type { ApplicationView } from '@muster/api';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef } from 'react';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Ago, SkeletonRows, StateWord } from '../../ui/parts.tsx';
import { EDGE, TINT } from '../../ui/tone.ts';
import { NoSets } from '../fleet/empty.tsx';
import { isFiltered, listQuery } from '../fleet/search.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { RolloutBadge } from '../rollouts/rollout-badge.tsx';
import { badgeOf } from '../rollouts/rollout-state.ts';
import { applicationListQuery } from './queries.ts';
import { healthTone, isError, isSilent, keyOf, shownRevision, syncTone, toneOf } from './state.ts';

const ROW_HEIGHT = 36;
const COLUMNS =
  'grid grid-cols-[minmax(180px,1.6fr)_minmax(110px,1fr)_minmax(90px,0.8fr)_104px_116px_80px_100px_minmax(120px,2fr)] items-center';

/** Applications as a list, filtered by the hub, a page at a time. */
export function ListView() {
  const [search] = useFleetSearch();
  const query = useInfiniteQuery(applicationListQuery(listQuery(search)));
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length + (hasNextPage ? 1 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 1 && hasNextPage && !isFetchingNextPage && !error) void fetchNextPage();
  }, [last, rows.length, hasNextPage, isFetchingNextPage, error, fetchNextPage]);

  if (!data && error) return <ErrorNotice error={error} retry={() => void query.refetch()} />;
  if (!data) return <SkeletonRows />;
  if (rows.length === 0)
    return isFiltered(search) ? <Notice title="No Application matches these filters" /> : <NoSets />;
  return (
    <div ref={scroller} tabIndex={0} aria-label="Applications" className="h-full overflow-auto">
      <div role="table" className="min-w-[1000px]" aria-rowcount={hasNextPage ? -1 : rows.length + 1}>
        <div role="row" className={`${COLUMNS} sticky top-0 z-10 border-b border-line bg-panel text-muted`}>
          {['Application', 'Cluster', 'Set', 'Sync', 'Health', 'Revision', 'Since', 'Why'].map((name) => (
            <div key={name} role="columnheader" className="px-2.5 py-2 first:pl-4">
              {name}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start }) => (
            <div
              key={rows[index] ? keyOf(rows[index]) : 'more'}
              className="absolute inset-x-0"
              style={{ height: ROW_HEIGHT, transform: `translateY(${start}px)` }}
            >
              {rows[index] ? (
                <Row app={rows[index]} />
              ) : (
                <p className="px-4 py-2 text-muted">
                  {error ? 'The rest could not be read.' : 'Reading more …'}
                </p>
              )}
            </div>
          ))}
        </div>
      </div>
      {error && <ErrorNotice error={error} retry={() => void fetchNextPage()} />}
    </div>
  );
}

const Row = memo(function Row({ app }: { app: ApplicationView }) {
  const [search, change] = useFleetSearch();
  const key = keyOf(app);
  const tone = toneOf(app);
  const silent = isSilent(app);
  const badge = badgeOf(app);
  const cell = 'truncate px-2.5';
  return (
    <div
      role="row"
      className={`${COLUMNS} relative h-full border-b border-l-3 border-b-line hover:bg-raised/60 ${EDGE[tone]} ${search.app === key ? 'bg-accent/10' : TINT[tone]}`}
    >
      <div role="cell" className={`${cell} pl-3`}>
        {/* The button reaches over the whole row. */}
        <button
          type="button"
          data-app={key}
          aria-pressed={search.app === key}
          onClick={() => change({ app: key })}
          className="max-w-full truncate font-medium after:absolute after:inset-0"
        >
          {app.name}
        </button>
      </div>
      <div role="cell" className={cell}>
        {app.destination.cluster ?? app.destination.server}
      </div>
      <div role="cell" className={`${cell} text-muted`}>
        {app.set?.split('/').at(-1)}
      </div>
      <div role="cell" className={cell}>
        {silent ? (
          <StateWord word="silent" tone="idle">
            Unknown
          </StateWord>
        ) : (
          <StateWord word={app.sync} tone={syncTone(app.sync)} quiet={app.sync === 'Synced'} />
        )}
      </div>
      <div role="cell" className={cell}>
        {!silent && (
          <StateWord word={app.health} tone={healthTone(app.health)} quiet={app.health === 'Healthy'} />
        )}
      </div>
      <div role="cell" className={`${cell} font-mono text-xs text-muted`}>
        {shownRevision(app)}
      </div>
      <div role="cell" className={`${cell} text-muted`}>
        {app.since && <Ago at={app.since} />}
      </div>
      <div role="cell" className={`${cell} text-muted`}>
        {badge && (
          <>
            <RolloutBadge badge={badge} />{' '}
          </>
        )}
        {reason(app)}
      </div>
    </div>
  );
});

/** The most telling sentence of an Application, or none when it is fine. */
function reason(app: ApplicationView): string {
  const failed = app.conditions.find(({ type }) => isError(type)) ?? app.conditions[0];
  if (failed) return failed.message;
  if (app.leaving) return app.leaving.held ?? `leaving (${app.leaving.action})`;
  if (app.operation && app.operation.phase !== 'Succeeded')
    return app.operation.message || app.operation.phase;
  if (app.health !== 'Healthy' && app.healthMessage) return app.healthMessage;
  const badge = badgeOf(app);
  if (badge) return badge.says;
  if (app.sync !== 'OutOfSync' || isSilent(app)) return '';
  return app.automated ? 'differs from what is assigned' : 'is applied when somebody syncs it';
}
