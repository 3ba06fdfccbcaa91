import { expect, it } from 'vitest';
import { HubClock } from './hub-clock.ts';

const minute = 60_000;

it('reads the hub’s time on a clock that is wrong, and knows that it was heard', () => {
  const clock = new HubClock(undefined);
  clock.learn(10 * minute, 0, 30_000);
  expect(clock.read(20_000)).toEqual({ nowMs: 10 * minute + 20_000, heard: true });
  expect(clock.offsetMs).toBe(10 * minute);
});

it('goes on by what it learned once the hub was not heard for longer than its lease', () => {
  const clock = new HubClock(undefined);
  clock.learn(-10 * minute, 0, 30_000);
  expect(clock.read(30_000).heard).toBe(true);
  expect(clock.read(30_001)).toEqual({ nowMs: -10 * minute + 30_001, heard: false });
  clock.learn(-10 * minute + 40_000, 40_000);
  expect(clock.read(40_001).heard).toBe(true);
});

it('goes by what an earlier process learned, and has heard nobody since it started', () => {
  expect(new HubClock(7 * minute).read(0)).toEqual({ nowMs: 7 * minute, heard: false });
  expect(new HubClock(undefined).read(5)).toEqual({ nowMs: 5, heard: false });
});

it('has not heard the hub since this machine’s clock was set', () => {
  const clock = new HubClock(undefined);
  clock.learn(1_000_000, 1_000_000, 30_000);
  expect(clock.read(999_000).heard).toBe(false);
  expect(clock.read(1_000_000 + 60 * minute).heard).toBe(false);
});

it('is kept anew when it differs by a second, not for each message that took a little longer', () => {
  const clock = new HubClock(undefined);
  expect(clock.learn(5_000, 0, 30_000)).toBe(5_000);
  expect(clock.learn(14_900, 10_000)).toBeUndefined();
  expect(clock.learn(26_000, 20_000)).toBe(6_000);
});
