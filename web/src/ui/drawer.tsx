import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { type ReactNode, useState } from 'react';

/**
 * A panel at the right; what is behind it stays usable, Escape closes it. What is `beside` stands at its right, or in its
 * place where there is no room; then Escape closes that first.
 */
export function Drawer({
  title,
  subtitle,
  onClose,
  beside,
  onCloseBeside,
  children,
}: {
  title: string;
  subtitle?: ReactNode;
  onClose: () => void;
  beside?: ReactNode;
  onCloseBeside?: () => void;
  children: ReactNode;
}) {
  const [opener] = useState(() => document.activeElement);
  return (
    <Dialog.Root open modal={false} onOpenChange={(open) => !open && onClose()}>
      <Dialog.Content
        aria-describedby={undefined}
        onInteractOutside={(event) => event.preventDefault()}
        onEscapeKeyDown={(event) => {
          if (!beside || !onCloseBeside) return;
          event.preventDefault();
          onCloseBeside();
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          if (opener instanceof HTMLElement) opener.focus();
        }}
        className={`fixed inset-y-0 right-0 z-30 flex w-full flex-col border-l border-line bg-panel shadow-2xl outline-none ${beside ? 'max-w-[600px] lg:max-w-[min(1400px,96vw)]' : 'max-w-[600px]'}`}
      >
        <header className="flex items-start gap-3 border-b border-line px-4 py-3">
          <div className="min-w-0 flex-1">
            <Dialog.Title className="truncate text-base font-semibold">{title}</Dialog.Title>
            {subtitle && <div className="text-muted">{subtitle}</div>}
          </div>
          <Dialog.Close aria-label="Close" className="rounded p-1 text-muted hover:bg-raised hover:text-ink">
            <X className="size-4" />
          </Dialog.Close>
        </header>
        <div className="flex min-h-0 flex-1">
          <div
            className={`min-h-0 min-w-0 flex-1 overflow-y-auto ${beside ? 'hidden lg:block lg:max-w-[480px] lg:border-r lg:border-line' : ''}`}
          >
            {children}
          </div>
          {beside && <div className="flex min-h-0 min-w-0 flex-1 flex-col">{beside}</div>}
        </div>
      </Dialog.Content>
    </Dialog.Root>
  );
}

export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="border-b border-line px-4 py-3 last:border-0">
      <h3 className="mb-1.5 flex items-baseline justify-between gap-3 text-xs font-semibold text-muted">
        {title}
        {aside && <span className="font-normal">{aside}</span>}
      </h3>
      {children}
    </section>
  );
}

/** Name and value pairs; those without a value are left out. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[8.5rem_1fr] gap-x-3 gap-y-1">
      {facts
        .filter(([, value]) => value !== undefined && value !== '' && value !== null && value !== false)
        .map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </div>
        ))}
    </dl>
  );
}
