import { describe, expect, it } from 'vitest';
import { parseGoDuration, readRetryPolicy, retryDecision } from './retry.ts';

describe('a retry policy', () => {
  it('waits longer each time, up to the longest wait, and ends at the limit', () => {
    const policy = { limit: 3, firstMs: 5_000, factor: 2, longestMs: 12_000 };
    expect([1, 2, 3, 4].map((failures) => retryDecision(policy, failures))).toEqual([
      { again: true, inMs: 5_000 },
      { again: true, inMs: 10_000 },
      { again: true, inMs: 12_000 },
      { again: false },
    ]);
  });

  it('of a negative limit never ends, of none is tried once', () => {
    const policy = { limit: -1, firstMs: 1_000, factor: 2, longestMs: 60_000 };
    expect(retryDecision(policy, 5_000)).toEqual({ again: true, inMs: 60_000 });
    expect(retryDecision({ ...policy, limit: 0 }, 1)).toEqual({ again: false });
  });

  it('is read with the reference’s defaults, and refused with the field that is wrong', () => {
    expect(readRetryPolicy({ limit: 2 })).toEqual({
      limit: 2,
      firstMs: 5_000,
      factor: 2,
      longestMs: 180_000,
    });
    const backoff = { duration: '10', factor: 3, maxDuration: '1m30s' };
    expect(readRetryPolicy({ limit: -1, backoff })).toEqual({
      limit: -1,
      firstMs: 10_000,
      factor: 3,
      longestMs: 90_000,
    });
    expect(readRetryPolicy({ backoff: { duration: 'soon' } })).toContain('backoff.duration: "soon"');
    expect(readRetryPolicy({ backoff: { factor: 0 } })).toContain('backoff.factor');
  });

  it('reads durations as Go does', () => {
    expect(['1h', '1.5m', '250ms', '1m30s', '30', '0'].map(parseGoDuration)).toEqual([
      3_600_000, 90_000, 250, 90_000, 30_000, 0,
    ]);
    expect(['', '5', 's', '1x', '-1s', '1m 2s'].map(parseGoDuration)).toEqual([
      undefined,
      5_000,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
