import type { LogLine } from '@muster/api';
import type { LogEvent } from '@muster/api/client';
import { type KeptLine, LogBuffer } from './log-buffer.ts';

/** Lines come singly; the page is drawn this often, in milliseconds. */
const DRAWN_EVERY = 150;
/** Or as soon as so many lines wait. */
const AT_MOST_WAITING = 1_000;

/** What is known of a log. */
export interface LogState {
  lines: readonly KeptLine[];
  dropped: number;
  reading: boolean;
  /** Why it ended before what was asked for; empty: it did not. */
  cut: string;
  error?: unknown;
}

/** Gathers lines and tells how far it is, until the log or the signal ends. */
export async function collectLog(
  events: AsyncIterable<LogEvent>,
  signal: AbortSignal,
  tell: (state: LogState) => void,
): Promise<void> {
  const buffer = new LogBuffer();
  let waiting: LogLine[] = [];
  const draw = (more: Partial<LogState> = {}) => {
    if (signal.aborted) return;
    buffer.add(waiting);
    waiting = [];
    tell({ lines: buffer.lines, dropped: buffer.dropped, reading: true, cut: '', ...more });
  };
  const timer = setInterval(() => waiting.length > 0 && draw(), DRAWN_EVERY);
  try {
    for await (const event of events) {
      if (event.type === 'end') {
        draw({ reading: false, cut: event.end.cut });
        return;
      }
      waiting.push(event.line);
      if (waiting.length >= AT_MOST_WAITING) draw();
    }
  } catch (error) {
    draw({ reading: false, error });
  } finally {
    clearInterval(timer);
  }
}
