import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useRef } from 'react';

const ESTIMATE = 36;

interface VirtualRowsProps<T> {
  label: string;
  lines: readonly T[];
  keyOf: (line: T) => string;
  row: (line: T) => ReactNode;
}

/** Many rows of any height in a box of their own; only those in sight are there. */
export function VirtualRows<T>({ label, lines, keyOf, row }: VirtualRowsProps<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => keyOf(lines[index]!),
    estimateSize: () => ESTIMATE,
    overscan: 12,
  });
  return (
    <div
      ref={scroller}
      tabIndex={0}
      aria-label={label}
      className="max-h-[70vh] overflow-y-auto rounded-md border border-line"
    >
      <ul className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start, key }) => (
          <li
            key={key}
            ref={virtual.measureElement}
            data-index={index}
            aria-posinset={index + 1}
            aria-setsize={lines.length}
            className="absolute inset-x-0 border-b border-line/60"
            style={{ transform: `translateY(${start}px)` }}
          >
            {row(lines[index]!)}
          </li>
        ))}
      </ul>
    </div>
  );
}
