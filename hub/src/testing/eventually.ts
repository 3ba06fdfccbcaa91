import { vi } from 'vitest';

/** What a job may take that the queue lost, which is handed over again after half a minute, on a busy machine. */
export const PATIENCE = { timeout: 75_000, interval: 20 };

/** Waits until the check throws no more, and answers what it answers; else what it threw last. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, PATIENCE);
}
