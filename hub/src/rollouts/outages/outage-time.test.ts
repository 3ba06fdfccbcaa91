import { expect, it } from 'vitest';
import { outageAfter } from './outage-time.ts';

const outage = (fromMs: number, untilMs: number) => ({ fromMs, untilMs });

it('counts of outages what a rollout has not seen yet', () => {
  expect(outageAfter([], 1_000)).toBe(0);
  expect(outageAfter([outage(100, 600)], 0)).toBe(500);
  // It was looked at while no beat came, so part of it has been given back.
  expect(outageAfter([outage(100, 600)], 400)).toBe(200);
  expect(outageAfter([outage(100, 600)], 700)).toBe(0);
  expect(outageAfter([outage(100, 200), outage(500, 1_000)], 150)).toBe(550);
  // The queue stood still already when the hub went.
  expect(outageAfter([outage(400, 900), outage(100, 600)], 0)).toBe(800);
});
