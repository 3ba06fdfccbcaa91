import type { ReactNode } from 'react';

/** Buttons of which one holds, side by side. */
export function Segments({ label, children }: { label?: string; children: ReactNode }) {
  return (
    <div role="group" aria-label={label} className="flex w-fit overflow-hidden rounded-md border border-line">
      {children}
    </div>
  );
}

export function Segment({ active, ...rest }: { active: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <button
      type="button"
      aria-pressed={active}
      className={`flex h-7 items-center gap-1.5 px-2.5 ${active ? 'bg-raised font-medium text-ink' : 'text-muted hover:bg-raised'}`}
      {...rest}
    />
  );
}
