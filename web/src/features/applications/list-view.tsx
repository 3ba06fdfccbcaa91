import { useInfiniteQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';
import { useNarrow } from '../../lib/narrow.ts';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { SkeletonRows } from '../../ui/parts.tsx';
import { NoSets } from '../fleet/empty.tsx';
import { isFiltered, listQuery } from '../fleet/search.ts';
import { useFleetSearch } from '../fleet/use-search.ts';
import { COLUMNS, ListRow } from './list-row.tsx';
import { applicationListQuery } from './queries.ts';
import { keyOf } from './state.ts';

const ROW_HEIGHT = 36;
const NARROW_HEIGHT = 76;

/** Applications as a list, filtered by the hub, a page at a time. */
export function ListView() {
  const [search] = useFleetSearch();
  const query = useInfiniteQuery(applicationListQuery(listQuery(search)));
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const height = narrow ? NARROW_HEIGHT : ROW_HEIGHT;
  const virtual = useVirtualizer({
    count: rows.length + (hasNextPage ? 1 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
  });
  useEffect(() => virtual.measure(), [virtual, height]);
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
      <div role="table" className="sm:min-w-[1000px]" aria-rowcount={hasNextPage ? -1 : rows.length + 1}>
        <div
          role="row"
          className={`${COLUMNS} sticky top-0 z-10 border-b border-line bg-panel text-muted max-sm:sr-only`}
        >
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
              style={{ height, transform: `translateY(${start}px)` }}
            >
              {rows[index] ? (
                <ListRow app={rows[index]} narrow={narrow} />
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
