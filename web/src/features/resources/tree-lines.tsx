import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { Button } from '../../ui/parts.tsx';
import { useFleetSearch } from '../fleet/use-search.ts';
import { TreeLine } from './tree-line.tsx';
import { type TreeRow, treeMove } from './tree.ts';

/** Lines drawn at once; the rest on demand, so that a tree of thousands stays quick. */
const PAGE = 400;

/** The tree itself: one stop of the Tab key, arrows inside, Enter opens an object. */
export function TreeLines({ rows, fold }: { rows: TreeRow[]; fold: (key: string, open: boolean) => void }) {
  const [search, change] = useFleetSearch();
  const [shown, setShown] = useState(PAGE);
  const [current, setCurrent] = useState(search.object ?? '');
  const list = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const lines = rows.slice(0, shown);
  const at = Math.max(
    0,
    lines.findIndex(({ node }) => node.key === current),
  );
  useEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    list.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      change({ object: lines[at]!.node.key });
      return;
    }
    const move = treeMove(lines, at, event.key);
    if (!move) return;
    event.preventDefault();
    if ('fold' in move) fold(move.fold, move.open);
    else {
      moved.current = true;
      setCurrent(lines[move.to]!.node.key);
    }
  };
  return (
    <>
      <div ref={list} role="tree" aria-label="Objects" onKeyDown={onKeyDown} className="-mx-2">
        {lines.map((row, i) => (
          <TreeLine
            key={row.node.key}
            row={row}
            reachable={i === at}
            selected={search.object === row.node.key}
            fold={fold}
            choose={(key) => {
              setCurrent(key);
              change({ object: key });
            }}
          />
        ))}
      </div>
      {rows.length > shown && (
        <Button className="mt-1.5" onClick={() => setShown(shown + PAGE)}>
          {Math.min(PAGE, rows.length - shown)} more of {rows.length - shown}
        </Button>
      )}
    </>
  );
}
