import { expect, it } from 'vitest';
import { Claims } from './claims.ts';

it('gives an object to the first Application that asks, until it lets go', () => {
  const claims = new Claims();
  expect(claims.claim('o', 'first')).toBe('first');
  expect(claims.claim('o', 'second')).toBe('first');
  claims.release('o', 'second');
  expect(claims.ownerOf('o')).toBe('first');
  claims.release('o', 'first');
  expect(claims.claim('o', 'second')).toBe('second');
  claims.claim('p', 'second');
  claims.releaseOthers('second', (key) => key === 'p');
  expect([claims.ownerOf('o'), claims.ownerOf('p')]).toEqual([undefined, 'second']);
});
