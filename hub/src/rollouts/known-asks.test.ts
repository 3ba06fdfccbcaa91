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

it('looks only at what was asked while a step ran, in the step after it', () => {
  const asks = new KnownAsks();
  asks.note('r', { key, before: null, requested: 1n }, ['a']);
  expect(asks.take('r', 1n)).toEqual(new Set(['a']));
  asks.note('r', { key, before: 1n, requested: 2n }, ['b']);
  expect(asks.take('r', 2n)).toEqual(new Set(['b']));
  expect(asks.take('r', 2n)).toBeUndefined();
  // A step that looked at everything is as good.
  expect(asks.take('r', 7n)).toBeUndefined();
  asks.note('r', { key, before: 7n, requested: 8n }, ['c']);
  expect(asks.take('r', 8n)).toEqual(new Set(['c']));
});

it('looks at everything after a step that failed, also at what was asked meanwhile', () => {
  const asks = new KnownAsks();
  asks.note('r', { key, before: null, requested: 1n }, ['a']);
  asks.take('r', 1n);
  asks.note('r', { key, before: 1n, requested: 2n }, ['b']);
  asks.failed('r');
  asks.note('r', { key, before: 2n, requested: 3n }, ['c']);
  expect(asks.take('r', 3n)).toBeUndefined();
  asks.failed('r');
  expect(asks.take('r', 3n)).toBeUndefined();
});

it('looks at everything when asks are heard of in another order than they were made', () => {
  const asks = new KnownAsks();
  asks.note('r', { key, before: null, requested: 1n }, ['a']);
  expect(asks.take('r', 2n)).toBeUndefined();
  asks.note('r', { key, before: 1n, requested: 2n }, ['b']);
  asks.note('r', { key, before: 2n, requested: 3n }, ['c']);
  expect(asks.take('r', 3n)).toBeUndefined();
});
