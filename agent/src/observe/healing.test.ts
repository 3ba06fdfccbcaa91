import { expect, it } from 'vitest';
import { HealBudget } from './healing.ts';

const minute = 60_000;

it('leaves an object alone after five heals within ten minutes, for longer each time', () => {
  const budget = new HealBudget();
  for (let i = 0; i < 4; i++) budget.healed('a', i * minute);
  expect(budget.pausedUntil('a', 4 * minute)).toBe(0);
  budget.healed('a', 4 * minute);
  expect(budget.pausedUntil('a', 4 * minute)).toBe(5 * minute);
  expect(budget.paused(4 * minute)).toEqual(['a']);
  expect(budget.pausedUntil('a', 5 * minute)).toBe(0);
  for (let i = 0; i < 5; i++) budget.healed('a', 6 * minute + i);
  expect(budget.pausedUntil('a', 6 * minute + 5)).toBe(8 * minute + 4);
});

it('does not count heals that are far apart, nor those of others', () => {
  const budget = new HealBudget();
  for (let i = 0; i < 20; i++) budget.healed('a', i * 5 * minute);
  for (let i = 0; i < 4; i++) budget.healed('b', i);
  expect(budget.paused(100 * minute)).toEqual([]);
});

it('forgets when there is another bundle', () => {
  const budget = new HealBudget();
  for (let i = 0; i < 5; i++) budget.healed('a', i);
  budget.clear();
  expect(budget.pausedUntil('a', 10)).toBe(0);
});
