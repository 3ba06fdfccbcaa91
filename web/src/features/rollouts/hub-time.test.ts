import { describe, expect, it } from 'vitest';
import { hubOffset, inLocalTime, lasting, left } from './hub-time.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const later = (seconds: number) => new Date(now + seconds * 1000).toISOString();

describe('what is left', () => {
  it.each([
    [7, '0:07'],
    [754, '12:34'],
    [3599, '59:59'],
    [7500, '2 h 5 min'],
    [7200, '2 h'],
    [200_000, '2 d'],
  ])('of %d s reads %s', (seconds, words) => expect(left(later(seconds), now)).toBe(words));

  it('is nothing once the moment has come', () => {
    expect(left(later(0), now)).toBeUndefined();
    expect(left(later(-5), now)).toBeUndefined();
  });

  it('goes by the clock of the hub, not by that of the browser', () => {
    const offset = hubOffset(later(90), now);
    expect(left(later(120), now + offset)).toBe('0:30');
    expect(hubOffset('nonsense', now)).toBe(0);
  });
});

it('a span of a policy is in words', () => {
  expect([0, 45, 600, 5400, 86_400].map(lasting)).toEqual(['0 s', '45 s', '10 min', '1 h 30 min', '24 h']);
});

it('instants in a sentence are told in the time of who reads, with the date where it is another day', () => {
  const said = (at: string) => inLocalTime(`until ${at}, then`, Date.parse('2026-01-01T12:00:00Z'));
  expect(said('2026-01-01T12:34:56Z')).toMatch(/^until .*:34:56.*, then$/);
  expect(said('2026-03-07T12:34:56Z')).toMatch(/^until .*2026.*:34.*, then$/);
  expect(inLocalTime('no time at all', 0)).toBe('no time at all');
});
