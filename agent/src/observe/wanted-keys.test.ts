import { expect, it } from 'vitest';
import { WantedKeys } from './wanted-keys.ts';

it('tells what is new, and forgets what nobody wants any more', () => {
  const wanted = new WantedKeys();
  expect(wanted.want('a', ['x', 'y'])).toEqual(['x', 'y']);
  expect(wanted.want('b', ['y', 'z'])).toEqual(['z']);
  expect([...wanted.by('y')]).toEqual(['a', 'b']);
  expect(wanted.want('a', ['x'])).toEqual([]);
  expect([...wanted.by('y')]).toEqual(['b']);
  wanted.want('b', []);
  expect(wanted.has('y')).toBe(false);
  expect(wanted.want('c', ['y'])).toEqual(['y']);
});
