import { expect, it } from 'vitest';
import { KnownAsks } from './known-asks.ts';

const key = 'rollout:r';

it('adds up what was asked because of which targets', () => {
  const asks = new KnownAsks();
  asks.note('r', { key, before: null, requested: 1n }, []);
  asks.note('r', { key, before: 1n, requested: 2n }, ['a', 'b']);
  asks.note('r', { key, before: 2n, requested: 5n }, ['b', 'c']);
  expect(asks.take('r', 5n)).toEqual(new Set(['a', 'b', 'c']));
});

it('looks at everything when somebody else asked before, between or after', () => {
  const asks = new KnownAsks();
  asks.note('r', { key, before: 1n, requested: 2n }, ['a']);
  expect(asks.take('r', 2n)).toBeUndefined();
  asks.note('r', { key, before: null, requested: 3n }, ['a']);
  asks.note('r', { key, before: 4n, requested: 5n }, ['b']);
  expect(asks.take('r', 5n)).toBeUndefined();
  asks.note('r', { key, before: null, requested: 6n }, ['a']);
  expect(asks.take('r', 7n)).toBeUndefined();
});

it('looks at everything once what it knew was taken: that step may have failed', () => {
  const asks = new KnownAsks();
  asks.note('r', { key, before: null, requested: 1n }, ['a']);
  expect(asks.take('r', 1n)).toEqual(new Set(['a']));
  expect(asks.take('r', 1n)).toBeUndefined();
  asks.note('r', { key, before: 1n, requested: 2n }, ['b']);
  expect(asks.take('r', 2n)).toBeUndefined();
});
