import { expect, it } from 'vitest';
import { HealBudget } from './healing.ts';

const minute = 60_000;
const edit = { manager: 'kubectl-edit', operation: 'Update', timeMs: 1 };
const fought = (budget: HealBudget, nowMs: number, drifted = true) =>
  budget.fights(nowMs, () => drifted).map(({ key }) => key);

it('leaves an object alone after more than five heals within ten minutes, and names the other writer', () => {
  const budget = new HealBudget();
  for (let i = 0; i < 5; i++) budget.healed('a', i * minute, edit);
  expect(budget.pausedUntil('a', 4 * minute)).toBe(0);
  expect(fought(budget, 4 * minute)).toEqual([]);
  budget.healed('a', 5 * minute, edit);
  expect(budget.pausedUntil('a', 5 * minute)).toBe(6 * minute);
  expect(budget.fights(5 * minute, () => true)).toEqual([
    { key: 'a', heals: 6, pausedUntil: 6 * minute, writer: edit },
  ]);
  expect(budget.pausedUntil('a', 6 * minute)).toBe(0);
});

it('puts an object back once after each pause, and waits twice as long when that was in vain', () => {
  const budget = new HealBudget();
  for (let i = 0; i < 6; i++) budget.healed('a', i);
  const pauses: number[] = [];
  let now = 5;
  for (let i = 0; i < 7; i++) {
    const until = budget.pausedUntil('a', now);
    pauses.push((until - now) / minute);
    now = until;
    budget.healed('a', now);
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30]);
});

it('begins anew when nothing had to be healed for ten minutes after a pause', () => {
  const budget = new HealBudget();
  for (let i = 0; i < 6; i++) budget.healed('a', i);
  const end = budget.pausedUntil('a', 6);
  budget.healed('a', end + 10 * minute);
  expect(budget.pausedUntil('a', end + 10 * minute)).toBe(0);
});

it('does not count heals that are far apart, nor those of others', () => {
  const budget = new HealBudget();
  for (let i = 0; i < 20; i++) budget.healed('a', i * 5 * minute);
  for (let i = 0; i < 5; i++) budget.healed('b', i);
  expect(fought(budget, 5)).toEqual([]);
  expect(fought(budget, 95 * minute)).toEqual([]);
});

it('calls no fight what stays healed, and says when to look', () => {
  const budget = new HealBudget();
  expect(budget.calmIn(0)).toBeUndefined();
  for (let i = 0; i < 6; i++) budget.healed('a', 0);
  expect(budget.calmIn(1_000)).toBe(9_000);
  expect(fought(budget, 9_999, false)).toEqual(['a']);
  expect(fought(budget, 10_000, false)).toEqual([]);
  expect(fought(budget, 10_000, true)).toEqual(['a']);
  expect(budget.calmIn(10_000)).toBe(50_000);
  expect(fought(budget, minute, true)).toEqual([]);
  expect(budget.calmIn(minute)).toBeUndefined();
});

it('forgets when there is another bundle', () => {
  const budget = new HealBudget();
  for (let i = 0; i < 6; i++) budget.healed('a', i);
  budget.clear();
  expect(budget.pausedUntil('a', 10)).toBe(0);
});
