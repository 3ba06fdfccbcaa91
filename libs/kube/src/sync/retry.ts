/** `spec.syncPolicy.retry`, read. */
export interface RetryPolicy {
  /** Tries after the first one; negative: without end. */
  limit: number;
  /** Milliseconds before the first retry; each further one waits `factor` times as long, at most `longestMs`. */
  firstMs: number;
  factor: number;
  longestMs: number;
}

/** What follows a failed try. */
export type RetryDecision = { again: true; inMs: number } | { again: false };

/** As in the reference where nothing is said. */
const DEFAULTS = { firstMs: 5_000, factor: 2, longestMs: 3 * 60_000 };

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as Go writes it (`1m30s`, `0.5h`), or a number of seconds, in milliseconds; undefined for anything else. */
export function parseGoDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;
  let total = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) return undefined;
    total += Number(match[1]) * UNITS[match[2]!]!;
  }
  return text === '' ? undefined : total;
}

/** A policy as it is written. Answers the problem in words where it cannot be read. */
export function readRetryPolicy(written: {
  limit?: number;
  backoff?: { duration?: string; factor?: number; maxDuration?: string } | null;
}): RetryPolicy | string {
  const { duration, factor, maxDuration } = written.backoff ?? {};
  const firstMs = duration ? parseGoDuration(duration) : DEFAULTS.firstMs;
  if (firstMs === undefined) return `backoff.duration: "${duration}" is no duration such as 5s or 1m30s`;
  const longestMs = maxDuration ? parseGoDuration(maxDuration) : DEFAULTS.longestMs;
  if (longestMs === undefined) return `backoff.maxDuration: "${maxDuration}" is no duration such as 3m`;
  if (factor !== undefined && factor < 1) return `backoff.factor: ${factor} is less than 1`;
  return { limit: written.limit ?? 0, firstMs, factor: factor ?? DEFAULTS.factor, longestMs };
}

/** Whether to try again after so many failed tries (1: the first one), and when. Without jitter: the reference's times. */
export function retryDecision(policy: RetryPolicy, failures: number): RetryDecision {
  if (policy.limit >= 0 && failures > policy.limit) return { again: false };
  const inMs = policy.firstMs * policy.factor ** Math.min(Math.max(failures - 1, 0), 1_000);
  return { again: true, inMs: Math.min(inMs, policy.longestMs) };
}
