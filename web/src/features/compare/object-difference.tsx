import type { PlanObject } from '@muster/api';
import { nameOfObject } from '@muster/api/markdown';
import { useMemo, useState } from 'react';
import { Button } from '../../ui/parts.tsx';
import { TEXT } from '../../ui/tone.ts';
import { FIRST_LINES, type LineKind, diffLines } from './diff-lines.ts';

const ACTIONS = {
  added: { sign: '+', words: 'only in B', tone: 'good' },
  changed: { sign: '~', words: 'changed', tone: 'warn' },
  removed: { sign: '−', words: 'only in A', tone: 'bad' },
} as const;

/** One object, folded until somebody looks at it; its lines are drawn only then. */
export function ObjectDifference({ object, open: atFirst }: { object: PlanObject; open: boolean }) {
  const [open, setOpen] = useState(atFirst);
  const { action, added, removed } = object;
  const { sign, words, tone } = ACTIONS[action];
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex cursor-pointer flex-wrap items-baseline gap-x-3 px-3 py-1.5 hover:bg-raised/60">
        <span className={`min-w-0 break-words ${TEXT[tone]}`}>
          <span aria-hidden>{sign} </span>
          <span className="font-medium">{nameOfObject(object)}</span>
        </span>
        <span className="text-muted">{words}</span>
        <span className="ml-auto whitespace-nowrap text-muted">
          +{added} −{removed}
        </span>
      </summary>
      {open && <Lines object={object} />}
    </details>
  );
}

const LOOK: Record<LineKind, string> = {
  added: 'bg-good/10 text-good',
  removed: 'bg-bad/10 text-bad',
  gap: 'text-muted',
  same: '',
};

function Lines({ object }: { object: PlanObject }) {
  const { text, moreLines } = object;
  const lines = useMemo(() => diffLines(text), [text]);
  const [most, setMost] = useState(FIRST_LINES);
  const hidden = lines.length - most;
  return (
    <div className="border-t border-line/60 pb-1.5">
      <pre
        tabIndex={0}
        aria-label={`Difference of ${nameOfObject(object)}`}
        className="overflow-x-auto font-mono text-xs leading-5"
      >
        <code className="block w-max min-w-full">
          {lines.slice(0, most).map(({ kind, text: line }, i) => (
            // Lines have no name but their place, and never move.
            <span key={i} className={`block px-3 ${LOOK[kind]}`}>
              {kind === 'gap' ? '⋯' : line || ' '}
            </span>
          ))}
        </code>
      </pre>
      {hidden > 0 && (
        <Button className="mx-3 mt-1" onClick={() => setMost(lines.length)}>
          Show {hidden} more lines
        </Button>
      )}
      {moreLines > 0 && hidden <= 0 && (
        <p className="px-3 text-muted">… and {moreLines} more lines, which the hub left out.</p>
      )}
    </div>
  );
}
