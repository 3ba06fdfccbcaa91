import type { RolloutView } from '@muster/api';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useNow } from '../../lib/clock.ts';
import { exactly } from '../../lib/time.ts';
import { StateWord } from '../../ui/parts.tsx';
import { changedSearch } from '../fleet/search.ts';
import { left } from './hub-time.ts';
import { authorName, phaseTone, phaseWord, releaseName, releaseWords } from './rollout-state.ts';

/** Phase as icon, colour and word, and whether it is paused. */
export function PhaseWord({ rollout }: { rollout: Pick<RolloutView, 'phase' | 'paused'> }) {
  const { phase, paused } = rollout;
  return (
    <span className="inline-flex flex-wrap gap-x-2">
      <StateWord word={paused && phase === 'running' ? 'paused' : phase} tone={phaseTone(rollout)}>
        {phaseWord(phase)}
      </StateWord>
      {paused && <span className="font-medium text-warn">paused</span>}
    </span>
  );
}

/** `#41 → #42 1a2b3c4 Autumn sale`. */
export function ReleaseLine({
  rollout: { from, to },
  author = false,
}: {
  rollout: Pick<RolloutView, 'from' | 'to'>;
  author?: boolean;
}) {
  const words = releaseWords(to);
  return (
    <span className="min-w-0 break-words" title={[from?.label, to.label].filter(Boolean).join(' → ')}>
      {from && (
        <>
          <span className="text-muted">{releaseName(from)}</span> <span aria-label="to">→</span>{' '}
        </>
      )}
      <span className="font-medium">{releaseName(to)}</span>
      {words !== releaseName(to) && <span className="text-muted"> {words}</span>}
      {author && to.author && (
        <span className="text-muted" title={to.author}>
          {' '}
          by {authorName(to.author)}
        </span>
      )}
    </span>
  );
}

/** What is left until a moment by the hub's clock; `over` stands there when it has come. */
export function Left({ until, offset, over }: { until: string; offset: number; over?: ReactNode }) {
  const now = useNow() + offset;
  const text = left(until, now);
  return (
    <time dateTime={until} title={exactly(until)} className="relative whitespace-nowrap">
      {text ?? over ?? 'now'}
    </time>
  );
}

/** A link that shows one rollout; it can be sent to a colleague. */
export function RolloutLink({
  id,
  className = 'text-accent hover:underline',
  children,
}: {
  id: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <Link
      to="/"
      search={(before) =>
        changedSearch(before, { rollout: id, policy: undefined, app: undefined, about: undefined })
      }
      className={className}
    >
      {children}
    </Link>
  );
}
