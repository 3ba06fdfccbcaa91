import type { ButtonHTMLAttributes, ReactNode } from 'react';
import type { Tone } from '../features/applications/state.ts';
import { useNow } from '../lib/clock.ts';
import { exactly, since } from '../lib/time.ts';
import { StateIcon } from './icons.tsx';
import { TEXT } from './tone.ts';

/** A state as icon, colour and word. */
export function StateWord({
  word,
  tone,
  children,
  quiet = false,
}: {
  word: string;
  tone: Tone;
  children?: ReactNode;
  quiet?: boolean;
}) {
  return (
    <span
      className={`inline-flex items-baseline gap-1 whitespace-nowrap ${quiet ? 'text-muted' : TEXT[tone]}`}
    >
      <StateIcon word={word} className={`self-center ${TEXT[tone]}`} />
      <span>{children ?? word}</span>
    </span>
  );
}

/** How long ago a moment was, kept up to date; the exact time is its title, also in a row whose link reaches over all of it. */
export function Ago({ at, suffix = '' }: { at: string; suffix?: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={exactly(at)} className="relative whitespace-nowrap">
      {since(at, now)}
      {suffix}
    </time>
  );
}

export function Chip({ children, title }: { children: ReactNode; title?: string }) {
  return (
    <span
      title={title}
      className="inline-block max-w-44 truncate rounded bg-raised px-1.5 align-middle text-[11px] leading-4.5 text-muted"
    >
      {children}
    </span>
  );
}

export function Labels({ labels, most = 2 }: { labels: Record<string, string>; most?: number }) {
  const all = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (all.length === 0) return null;
  return (
    <span className="flex min-w-0 gap-1 overflow-hidden">
      {all.slice(0, most).map((text) => (
        <Chip key={text} title={text}>
          {text}
        </Chip>
      ))}
      {all.length > most && <Chip title={all.slice(most).join('\n')}>+{all.length - most}</Chip>}
    </span>
  );
}

/** `danger`: it takes something away. */
export function Button({
  primary = false,
  danger = false,
  className = '',
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { primary?: boolean; danger?: boolean }) {
  const look = primary
    ? `border-transparent text-panel hover:brightness-110 ${danger ? 'bg-bad' : 'bg-accent'}`
    : `border-line bg-panel hover:bg-raised ${danger ? 'text-bad' : 'text-ink'}`;
  return (
    <button
      type="button"
      className={`inline-flex h-7 items-center gap-1.5 rounded-md border px-2.5 font-medium whitespace-nowrap focus-visible:outline-offset-2 disabled:opacity-50 ${look} ${className}`}
      {...rest}
    />
  );
}

/** A grey bar where something will be. */
export function Skeleton({ className = '' }: { className?: string }) {
  return <span aria-hidden className={`block animate-pulse rounded bg-raised ${className}`} />;
}

export function SkeletonRows({ count = 12 }: { count?: number }) {
  return (
    <div className="space-y-2 p-4" role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, i) => (
        <Skeleton key={i} className="h-9" />
      ))}
    </div>
  );
}
