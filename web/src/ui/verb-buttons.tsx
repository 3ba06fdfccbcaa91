import type { ReactNode } from 'react';
import type { Offer } from './offer.ts';
import { Button } from './parts.tsx';

interface VerbButtonsProps<Ask> {
  label: string;
  offers: readonly Offer<Ask>[];
  onAsk: (ask: Ask) => void;
  /** The first is what to do here. */
  primary?: boolean;
  /** In a row: the reason of a refusal is a title only. */
  quiet?: boolean;
  icon?: (ask: Ask) => ReactNode;
  /** One of them is under way: none can be pressed. */
  busy?: boolean;
}

const QUIET =
  '-mx-1.5 h-5 border-transparent bg-transparent px-1.5 text-xs text-muted underline decoration-line underline-offset-2';

/** What may be asked, as buttons. Those that are refused stay where they are and say why. */
export function VerbButtons<Ask>({
  label,
  offers,
  onAsk,
  primary = false,
  quiet = false,
  icon,
  busy = false,
}: VerbButtonsProps<Ask>) {
  if (offers.length === 0) return null;
  const reasons = [...new Set(offers.flatMap(({ refused }) => refused ?? []))];
  return (
    <div className="min-w-0">
      <div role="group" aria-label={label} className="flex flex-wrap gap-1.5">
        {offers.map(({ ask, label: text, danger, refused }, i) => (
          <Button
            key={text}
            primary={primary && i === 0 && refused === undefined}
            danger={danger && !quiet}
            disabled={busy}
            aria-disabled={refused !== undefined}
            aria-description={refused}
            title={refused}
            className={`aria-disabled:cursor-not-allowed aria-disabled:opacity-50 ${quiet ? QUIET : ''}`}
            onClick={() => refused === undefined && onAsk(ask)}
          >
            {icon?.(ask)}
            {text}
          </Button>
        ))}
      </div>
      {!quiet && reasons.length > 0 && <p className="mt-1 text-xs text-muted">{reasons.join(' ')}</p>}
    </div>
  );
}
