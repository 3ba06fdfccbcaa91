import { MusterError } from '@muster/base/errors';
import { Check, Copy } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { StateIcon } from './icons.tsx';
import { Ago, Button } from './parts.tsx';

/** A page part without content: what is so, and what to do next. */
export function Notice({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="mx-auto my-16 w-full max-w-2xl px-6">
      <h2 className="mb-2 text-base font-semibold">{title}</h2>
      <div className="space-y-3 text-muted">{children}</div>
    </div>
  );
}

/** A command to copy. */
export function CommandLine({ text }: { text: string }) {
  return (
    <div className="flex items-start gap-2 rounded-md border border-line bg-raised p-2 text-ink">
      <pre className="min-w-0 flex-1 overflow-x-auto font-mono text-xs leading-5 whitespace-pre">{text}</pre>
      <CopyButton text={text} label="Copy the command" />
    </div>
  );
}

/** Puts a text on the clipboard, which is there in secure contexts only. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState('');
  if (!navigator.clipboard) return null;
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className="rounded p-1 text-muted hover:text-ink"
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(text))}
    >
      {copied === text ? <Check className="size-3.5" /> : <Copy className="size-3.5" />}
    </button>
  );
}

/** What the hub said went wrong, where, and what to do about it. */
export function ErrorNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const { code, message, where, hint } = MusterError.from(error);
  return (
    <div role="alert" className="m-3 rounded-md border border-bad/40 bg-bad/8 p-3">
      <p className="flex items-center gap-1.5 font-medium text-bad">
        <StateIcon word="failed" /> {message}
      </p>
      <p className="mt-1 text-muted">{[code, where, hint].filter(Boolean).join(' · ')}</p>
      {retry && (
        <Button className="mt-2" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** The hub did not answer the last time; what is shown is from before, and says from when. */
export function StaleNotice({ error, at, retry }: { error: unknown; at: number; retry: () => void }) {
  const { message } = MusterError.from(error);
  return (
    <p role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-1 bg-warn/10 px-4 py-1.5 text-warn">
      <span>
        It could not be read again: {message}. What is shown was read{' '}
        <Ago at={new Date(at).toISOString()} suffix=" ago" />.
      </span>
      <Button onClick={retry}>Try again</Button>
    </p>
  );
}
