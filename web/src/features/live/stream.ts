import type { Change } from '@muster/api';

export type LiveState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** What is shown was true at `since` (Unix milliseconds). */
  | { kind: 'interrupted'; since: number };

export interface StreamHandlers {
  onChange: (change: Change) => void;
  /** Something may have been missed. */
  onResync: () => void;
  onState: (state: LiveState) => void;
}

const RETRY_MS = 3000;

/** Follows the hub's events with one EventSource until the returned function is called. */
export function followEvents({ onChange, onResync, onState }: StreamHandlers): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let interruptedAt: number | undefined;
  let opened = false;
  const connect = (fresh: boolean) => {
    source = new EventSource('/api/v1/events');
    source.onopen = () => {
      // A new EventSource knows no last event id, so the gap cannot be resumed; a reconnect by itself does.
      if (!fresh && opened) onResync();
      [opened, interruptedAt, fresh] = [true, undefined, true];
      onState({ kind: 'live' });
    };
    source.onerror = () => {
      interruptedAt ??= Date.now();
      onState(opened ? { kind: 'interrupted', since: interruptedAt } : { kind: 'connecting' });
      if (source?.readyState !== EventSource.CLOSED) return;
      retry = setTimeout(() => connect(false), RETRY_MS);
    };
    source.addEventListener('change', (event) => onChange(JSON.parse(event.data as string) as Change));
    source.addEventListener('resync', onResync);
  };
  onState({ kind: 'connecting' });
  connect(true);
  return () => {
    clearTimeout(retry);
    source?.close();
  };
}
