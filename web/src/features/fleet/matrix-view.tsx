import type { ApplicationView } from '@muster/api';
import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useMemo, useRef } from 'react';
import { useNarrow } from '../../lib/narrow.ts';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { SkeletonRows } from '../../ui/parts.tsx';
import { StateIcon } from '../../ui/icons.tsx';
import { MATRIX_LIMIT, applicationsQuery } from '../applications/queries.ts';
import { keyOf } from '../applications/state.ts';
import { ClusterCell } from '../clusters/cluster-cell.tsx';
import { clustersQuery } from '../clusters/queries.ts';
import { NoClusters, NoSets } from './empty.tsx';
import { nextPlace } from './grid-keys.ts';
import { MatrixCards } from './matrix-cards.tsx';
import { MatrixCell } from './matrix-cell.tsx';
import { type Matrix, type MatrixColumn, buildMatrix, filterMatrix } from './matrix.ts';
import { setsQuery } from './queries.ts';
import { useFleetSearch } from './use-search.ts';

const ROW_HEIGHT = 50;
const NAME_WIDTH = 304;
const CELL_WIDTH = 190;

export function MatrixView() {
  const [search] = useFleetSearch();
  const clusters = useQuery(clustersQuery);
  const sets = useQuery(setsQuery);
  const applications = useQuery(applicationsQuery());
  const matrix = useMemo(
    () =>
      clusters.data && sets.data && applications.data
        ? buildMatrix(clusters.data, sets.data, applications.data)
        : undefined,
    [clusters.data, sets.data, applications.data],
  );
  const narrow = useNarrow();
  const shown = useMemo(() => matrix && filterMatrix(matrix, search), [matrix, search]);
  if (!shown || !matrix) {
    const failed = [clusters, sets, applications].find((query) => query.isError);
    if (failed) return <ErrorNotice error={failed.error} retry={() => void failed.refetch()} />;
    return <SkeletonRows />;
  }
  if (matrix.rows.length === 0) return <NoClusters />;
  return (
    <div className="flex h-full flex-col">
      {applications.data!.length >= MATRIX_LIMIT && (
        <p className="bg-warn/10 px-4 py-1.5 text-warn">
          Only the first {MATRIX_LIMIT} Applications are in the matrix. The list of Applications shows all.
        </p>
      )}
      {shown.rows.length === 0 ? (
        <Notice title="No cluster matches these filters" />
      ) : narrow ? (
        <MatrixCards matrix={shown} />
      ) : (
        <Grid matrix={shown} />
      )}
      {matrix.columns.length === 0 && <NoSets />}
    </div>
  );
}

function Grid({ matrix: { columns, rows } }: { matrix: Matrix }) {
  const [search, change] = useFleetSearch();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 4,
  });
  const template = `${NAME_WIDTH}px repeat(${columns.length}, minmax(${CELL_WIDTH}px, 300px))`;
  const width = { minWidth: NAME_WIDTH + CELL_WIDTH * columns.length };
  const count = rows.filter(({ cluster }) => cluster !== undefined).length;
  const line = 'grid border-b border-line';
  return (
    <div
      ref={scroller}
      tabIndex={0}
      aria-label="Clusters and Applications"
      onKeyDown={moveFocus}
      className="min-h-0 flex-1 scroll-pt-10 scroll-pl-76 overflow-auto"
    >
      <div role="table" aria-rowcount={rows.length + 1} style={width}>
        <div
          role="row"
          className={`${line} sticky top-0 z-20 bg-panel`}
          style={{ gridTemplateColumns: template }}
        >
          <div role="columnheader" className="sticky left-0 z-10 bg-panel px-4 py-2 text-muted">
            {count === 1 ? '1 cluster' : `${count} clusters`}
          </div>
          {columns.map((column) => (
            <ColumnHead key={column.key} column={column} />
          ))}
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index]!;
            return (
              <div
                key={row.key}
                role="row"
                aria-rowindex={index + 2}
                className={`${line} group absolute inset-x-0`}
                style={{
                  gridTemplateColumns: template,
                  height: ROW_HEIGHT,
                  transform: `translateY(${start}px)`,
                }}
              >
                <ClusterCell name={row.key} cluster={row.cluster} />
                {columns.map(({ key, title }) => (
                  <MatrixCell
                    key={key}
                    column={title}
                    cluster={row.cluster}
                    row={row.key}
                    apps={row.cells.get(key)}
                    set={key}
                    selected={search.app !== undefined && search.app === firstKey(row.cells.get(key))}
                    change={change}
                  />
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function firstKey(apps: readonly ApplicationView[] | undefined): string | undefined {
  return apps?.[0] && keyOf(apps[0]);
}

function ColumnHead({ column: { title, set, total, attention } }: { column: MatrixColumn }) {
  const failed = set?.conditions.find(({ type, status }) => /Error/.test(type) && status === 'True');
  return (
    <div role="columnheader" className="border-l border-line px-2.5 py-2" title={failed?.message ?? title}>
      <span className="flex items-center gap-1.5 font-semibold">
        {failed && <StateIcon word="failed" className="text-bad" />}
        <span className="truncate">{title}</span>
        <span className="ml-auto font-normal whitespace-nowrap text-muted">
          {failed ? (
            <span className="text-bad">{failed.reason}</span>
          ) : attention > 0 ? (
            <>
              <span className="text-warn">{attention}</span> of {total}
            </>
          ) : (
            total
          )}
        </span>
      </span>
    </div>
  );
}

/** Arrow keys go from cell to cell; rows that are not drawn yet follow as the focus scrolls. */
function moveFocus(event: KeyboardEvent<HTMLDivElement>): void {
  const cell = (event.target as Element).closest('[role=cell], [role=rowheader]');
  const row = cell?.parentElement;
  if (!cell || !row) return;
  const cells = ({ row: index }: { row: number }) =>
    event.currentTarget.querySelector(`[aria-rowindex="${index}"]`)?.children;
  const from = { row: Number(row.ariaRowIndex), column: [...row.children].indexOf(cell) };
  const to = nextPlace(from, event.key, (place) => {
    const found = cells(place)?.[place.column];
    return found && found.querySelector('button') !== null;
  });
  if (!to) return;
  event.preventDefault();
  cells(to)?.[to.column]?.querySelector('button')?.focus();
}
