import { expect, test } from 'vitest';
import { progressText } from './rollout-watch.ts';

test('who watches a rollout is told what it waits for, and that this is a circle', () => {
  const since = '2026-11-01T11:00:00.000Z';
  const waitingFor = [{ what: 'dependency', text: 'web-eu: db', who: [], count: 1, since }];
  const circle = { text: 'it is a circle: a waits for b, which waits for a', ends: 'x' };
  expect(progressText({ headline: 'it is on its way', waitingFor, circle }).split('\n')).toEqual([
    'it is on its way',
    '          waits for web-eu: db',
    '          it is a circle: a waits for b, which waits for a',
  ]);
});
