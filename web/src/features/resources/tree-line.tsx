import { ChevronDown, ChevronRight } from 'lucide-react';
import { memo } from 'react';
import { Ago, StateWord } from '../../ui/parts.tsx';
import { healthTone, syncTone } from '../applications/state.ts';
import { placeOf } from './object-key.ts';
import type { TreeRow } from './tree.ts';

/** Facts that say more about the object itself than about how it does. */
const LEFT_OUT = new Set(['containers']);
const INDENT_PX = 16;
/** Deeper levels stay at this one's column. */
const DEEPEST = 8;

interface LineProps {
  row: TreeRow;
  /** The Tab key stops here. */
  reachable: boolean;
  selected: boolean;
  fold: (key: string, open: boolean) => void;
  choose: (key: string) => void;
}

/** One object: what it is and how it does; what it owns is below it. */
export const TreeLine = memo(function TreeLine({ row, reachable, selected, fold, choose }: LineProps) {
  const { node, level, position, siblings, open } = row;
  const facts = node.facts.filter(({ name }) => !LEFT_OUT.has(name));
  const absent = node.uid === '';
  return (
    <div
      role="treeitem"
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={open}
      aria-selected={selected}
      tabIndex={reachable ? 0 : -1}
      data-object={node.key}
      onClick={() => choose(node.key)}
      className={`flex cursor-pointer items-start gap-1 rounded px-2 py-1 hover:bg-raised/60 ${selected ? 'bg-accent/10' : ''}`}
      style={{ paddingLeft: 8 + (Math.min(level, DEEPEST) - 1) * INDENT_PX }}
    >
      <Fold open={open} toggle={() => fold(node.key, !open)} />
      <span className="min-w-0 flex-1">
        <span className={`block truncate ${absent ? 'text-muted' : ''}`} title={node.key}>
          <span className="text-muted">{node.kind}</span> {level === 1 ? placeOf(node) : node.name}
        </span>
        <span className="block truncate text-xs text-muted">
          {absent && 'not in the cluster'}
          {!absent && node.createdAt && <Ago at={node.createdAt} />}
          {node.hook && ' · hook'}
          {facts.map(({ name, value }) => ` · ${name} ${value}`)}
        </span>
        {node.message && node.health !== 'Healthy' && (
          <span className="line-clamp-2 text-xs break-words text-muted" title={node.message}>
            {node.message}
          </span>
        )}
      </span>
      <span className="flex flex-wrap justify-end gap-x-3">
        {node.sync && (
          <StateWord word={node.sync} tone={syncTone(node.sync)} quiet={node.sync === 'Synced'} />
        )}
        {node.health && (
          <StateWord word={node.health} tone={healthTone(node.health)} quiet={node.health === 'Healthy'} />
        )}
      </span>
    </div>
  );
});

/** The keyboard opens and closes with the arrows; this is for pointers. */
function Fold({ open, toggle }: { open: boolean | undefined; toggle: () => void }) {
  if (open === undefined) return <span className="w-4 shrink-0" />;
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <span
      aria-hidden
      className="mt-px shrink-0 rounded text-muted hover:text-ink"
      onClick={(event) => {
        event.stopPropagation();
        toggle();
      }}
    >
      <Icon className="size-4" />
    </span>
  );
}
