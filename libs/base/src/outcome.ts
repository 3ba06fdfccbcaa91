/** How one run of a job ended. Closed: switch over `kind` exhaustively. */
export type Outcome =
  | { kind: 'done' }
  | { kind: 'waiting'; reason: string; until?: Date }
  | { kind: 'failed'; mode: 'transient' | 'terminal'; reason: string; cause?: unknown };

export const done: Outcome = { kind: 'done' };

/** Waits for something outside: not an error, and tried again at `until` or when triggered. */
export function waiting(reason: string, until?: Date): Outcome {
  return until ? { kind: 'waiting', reason, until } : { kind: 'waiting', reason };
}

/** `transient` is retried with backoff; `terminal` is not, until the input changes. */
export function failed(mode: 'transient' | 'terminal', reason: string, cause?: unknown): Outcome {
  return { kind: 'failed', mode, reason, cause };
}
