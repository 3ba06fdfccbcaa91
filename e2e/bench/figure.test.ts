import { expect, it } from 'vitest';
import { atMost, median, partOf, quantile, timesFaster } from './figure.ts';

it('a quantile is one of the values, and never a better one than asked for', () => {
  const twenty = Array.from({ length: 20 }, (_, i) => 20 - i);
  expect(quantile(twenty, 0.95)).toBe(19);
  expect(quantile(twenty, 1)).toBe(20);
  expect(quantile([3], 0.5)).toBe(3);
  expect(median([9, 1, 5])).toBe(5);
});

it('an aim holds by the figure that is shown', () => {
  expect(atMost('memory', 110.4, 'MB', 110)).toMatchObject({ value: 110, aim: '≤ 110 MB', holds: true });
  expect(atMost('memory', 111, 'MB', 110).holds).toBe(false);
  const peer = { name: 'kubectl', value: 4000 };
  expect(partOf('apply', 2400, peer, 0.6, 0.5)).toMatchObject({ against: 'kubectl 4000 ms', holds: false });
  expect(timesFaster('render', 5, peer, 12, 10)).toMatchObject({ ratio: 12, aim: '≥ 10×', holds: true });
  expect(timesFaster('render', 5, peer, 12).holds).toBeNull();
});
