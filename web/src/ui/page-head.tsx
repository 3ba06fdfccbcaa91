import { ArrowLeft } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { Button } from './parts.tsx';

/** The way back to where a page was opened from. */
export function BackButton({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <div className="px-4 pt-2">
      <Button className="border-transparent text-muted" onClick={onClick}>
        <ArrowLeft className="size-3.5" aria-hidden /> {children}
      </Button>
    </div>
  );
}

/**
 * What a page is about, and in a word how that is. Whoever came by a link of the page reads on from here: it takes the
 * focus, again whenever `about` is something else.
 */
export function PageTitle({
  id,
  about,
  state,
  children,
}: {
  id: string;
  about: string;
  state?: ReactNode;
  children: ReactNode;
}) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus({ preventScroll: true }), [about]);
  return (
    <h2
      id={id}
      ref={title}
      tabIndex={-1}
      className="flex flex-wrap items-baseline gap-x-3 text-base font-semibold outline-none"
    >
      <span className="min-w-0 break-words">{children}</span>
      {state && <span className="text-[13px] font-normal">{state}</span>}
    </h2>
  );
}
