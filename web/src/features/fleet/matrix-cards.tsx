import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { keyOf } from '../applications/state.ts';
import { ClusterCell } from '../clusters/cluster-cell.tsx';
import { MatrixCell } from './matrix-cell.tsx';
import type { Matrix } from './matrix.ts';
import { useFleetSearch } from './use-search.ts';

const HEAD_HEIGHT = 48;
const CELL_HEIGHT = 52;

/** The matrix on a phone: each cluster with what it has below it, and nothing at its side. */
export function MatrixCards({ matrix: { columns, rows } }: { matrix: Matrix }) {
  const [search, change] = useFleetSearch();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => HEAD_HEIGHT + CELL_HEIGHT * rows[index]!.cells.size,
    overscan: 4,
  });
  return (
    <div
      ref={scroller}
      tabIndex={0}
      aria-label="Clusters and Applications"
      className="min-h-0 flex-1 overflow-y-auto"
    >
      <div
        role="table"
        aria-rowcount={rows.length}
        className="relative"
        style={{ height: virtual.getTotalSize() }}
      >
        {virtual.getVirtualItems().map(({ index, start, size }) => {
          const row = rows[index]!;
          return (
            <div
              key={row.key}
              role="row"
              aria-rowindex={index + 1}
              className="absolute inset-x-0 grid border-b border-line"
              style={{
                height: size,
                transform: `translateY(${start}px)`,
                gridTemplateRows: `${HEAD_HEIGHT}px repeat(${row.cells.size}, ${CELL_HEIGHT}px)`,
              }}
            >
              <ClusterCell name={row.key} cluster={row.cluster} />
              {columns
                .filter(({ key }) => row.cells.has(key))
                .map(({ key, title }) => {
                  const apps = row.cells.get(key);
                  const selected = search.app !== undefined && apps?.[0] && search.app === keyOf(apps[0]);
                  return (
                    <div
                      key={key}
                      role="none"
                      className="grid grid-cols-[30%_1fr] border-t border-line/60 pl-4"
                    >
                      <span className="self-center truncate pr-2 text-muted" title={title}>
                        {title}
                      </span>
                      <MatrixCell
                        column={title}
                        cluster={row.cluster}
                        row={row.key}
                        apps={apps}
                        set={key}
                        selected={selected ?? false}
                        change={change}
                      />
                    </div>
                  );
                })}
            </div>
          );
        })}
      </div>
    </div>
  );
}
