import type { GetLogs } from '@muster/api';
import { useEffect, useState } from 'react';
import { hub } from '../../lib/hub.ts';
import { split } from '../applications/queries.ts';
import { type LogState, collectLog } from './collect-log.ts';

const BEGUN: LogState = { lines: [], dropped: 0, reading: true, cut: '' };

/** Reads a log while it is shown; leaving, or asking for another one, hangs up. `attempt`: another number reads again. */
export function useLog(appKey: string, query: Partial<GetLogs>, attempt: number): LogState {
  const [state, setState] = useState<LogState>(BEGUN);
  const asked = JSON.stringify(query);
  useEffect(() => {
    setState(BEGUN);
    const stop = new AbortController();
    const of = JSON.parse(asked) as Partial<GetLogs>;
    const events = hub.applications.logs(...split(appKey), of, { signal: stop.signal });
    void collectLog(events, stop.signal, setState);
    return () => stop.abort();
  }, [appKey, asked, attempt]);
  return state;
}
