import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { EVERYTHING, NOTHING, type Pending, addChange, isNothing, planReading } from './changes.ts';
import { refresh } from './refresh.ts';
import { type LiveState, followEvents } from './stream.ts';

const GATHER_MS = 200;
/** Reading everything is dear: while much changes it is done at most this often. */
const GATHER_ALL_MS = 3000;

/** Keeps the cache live by the hub's events while mounted; one stream a tab. */
export function useLive(): LiveState {
  const queries = useQueryClient();
  const [state, setState] = useState<LiveState>({ kind: 'connecting' });
  useEffect(() => follow(queries, setState), [queries]);
  return state;
}

function follow(queries: QueryClient, onState: (state: LiveState) => void): () => void {
  let pending: Pending = NOTHING;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let working = false;
  let lastAll = 0;
  let ended = false;
  const later = (ms: number) => {
    if (!ended) timer ??= setTimeout(() => void flush(), ms);
  };
  const flush = async () => {
    timer = undefined;
    if (working || ended || isNothing(pending)) return;
    const reading = planReading(pending);
    const wait = lastAll + GATHER_ALL_MS - Date.now();
    if (reading.kind === 'all' && wait > 0) return later(wait);
    pending = NOTHING;
    working = true;
    try {
      await refresh(queries, reading);
    } catch {
      // What could not be read is not known any more: read everything as soon as it can be.
      pending = EVERYTHING;
    } finally {
      working = false;
      if (reading.kind === 'all') lastAll = Date.now();
      if (!isNothing(pending)) later(pending.all ? GATHER_ALL_MS : GATHER_MS);
    }
  };
  const stop = followEvents({
    onState,
    onChange: (change) => {
      pending = addChange(pending, change);
      if (!isNothing(pending)) later(GATHER_MS);
    },
    onResync: () => {
      pending = EVERYTHING;
      later(0);
    },
  });
  return () => {
    ended = true;
    clearTimeout(timer);
    stop();
  };
}
