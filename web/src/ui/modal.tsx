import { Dialog } from 'radix-ui';
import { type ReactNode, useState } from 'react';

interface ModalProps {
  title: string;
  /** What will happen, before anything is asked. */
  says: ReactNode;
  close: () => void;
  children: ReactNode;
}

/** A question that stands before everything else; at the bottom of a phone. */
export function Modal({ title, says, close, children }: ModalProps) {
  const [opener] = useState(() => document.activeElement);
  return (
    <Dialog.Root open onOpenChange={(open) => !open && close()}>
      <Dialog.Portal>
        {/* No Dialog.Overlay: it writes styles into the page, which the content security policy forbids. */}
        <div aria-hidden className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (opener instanceof HTMLElement) opener.focus();
          }}
          className="fixed inset-x-0 bottom-0 z-50 mx-auto max-h-[92vh] w-full max-w-[480px] overflow-y-auto rounded-t-lg border border-line bg-panel p-4 shadow-2xl outline-none sm:top-24 sm:bottom-auto sm:rounded-lg"
        >
          <Dialog.Title className="text-base font-semibold break-words">{title}</Dialog.Title>
          <Dialog.Description asChild>
            <div className="mt-1 space-y-1 text-muted">{says}</div>
          </Dialog.Description>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Leaves a Modal. */
export const ModalClose = Dialog.Close;
