import { describe, expect, it } from 'vitest';
import { since, span } from './time.ts';

describe('a span of time', () => {
  it.each([
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_599_000, '59 min'],
    [7_500_000, '2 h 5 min'],
    [7_200_000, '2 h'],
    [4.4 * 86_400_000, '4 d'],
  ])('of %d ms reads %s', (milliseconds, words) => expect(span(milliseconds)).toBe(words));

  it('is none when the clock of the browser is behind that of the hub', () => {
    expect(since('2026-01-01T00:00:05Z', Date.parse('2026-01-01T00:00:00Z'))).toBe('0 s');
  });
});
