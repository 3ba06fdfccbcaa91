import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDownToLine } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../../ui/parts.tsx';
import type { KeptLine } from './log-buffer.ts';

const LINE_HEIGHT = 18;
/** So near to the end, in pixels, somebody is taken to read the newest. */
const AT_END = 30;

/** The lines; who is at the end stays at the end, who reads further up is not disturbed. */
export function LogLines({ lines, wrap }: { lines: readonly KeptLine[]; wrap: boolean }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_HEIGHT,
    getItemKey: (index) => lines[index]!.number,
    overscan: 30,
  });
  const newest = lines.at(-1)?.number;
  useEffect(() => {
    if (atEnd && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [atEnd, newest, lines.length, virtual]);
  const named = new Set(lines.slice(-200).map(({ pod, container }) => `${pod} ${container}`)).size > 1;
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label="Log"
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          setAtEnd(scrollHeight - scrollTop - clientHeight < AT_END)
        }
        className="h-full overflow-auto bg-ground font-mono text-xs"
      >
        <div className="relative w-full" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => (
            <div
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              className={`absolute left-0 min-h-[18px] px-4 leading-[18px] ${wrap ? 'w-full break-all whitespace-pre-wrap' : 'w-max min-w-full whitespace-pre hover:bg-raised'}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              <Line line={lines[index]!} named={named} />
            </div>
          ))}
        </div>
      </div>
      {!atEnd && (
        <Button
          className="absolute right-5 bottom-3 shadow"
          onClick={() => virtual.scrollToIndex(lines.length - 1, { align: 'end' })}
        >
          <ArrowDownToLine className="size-3.5" aria-hidden /> Newest
        </Button>
      )}
    </div>
  );
}

function Line({ line: { time, pod, container, text }, named }: { line: KeptLine; named: boolean }) {
  return (
    <>
      {time && (
        <time dateTime={time} title={time} className="text-muted">
          {timeOfDay(time)}{' '}
        </time>
      )}
      {named && (
        <span className="text-accent">
          {pod} {container}{' '}
        </span>
      )}
      {text}
    </>
  );
}

const timeOfDay = (time: string) =>
  new Date(time).toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
  });
