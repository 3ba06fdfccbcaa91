import { describe, expect, it } from 'vitest';
import { type LetGo, afterwards } from './letting-go.ts';

const alone: LetGo = { digest: 'old', newest: 'new', memberOf: undefined, open: [], others: undefined };
const running = { id: 'r', phase: 'running', label: 'release 3' };
const pending = { id: 'p', phase: 'pending', label: 'release 4' };

describe('a target that is let go of', () => {
  it.each<[string, Partial<LetGo>, Record<string, unknown>]>([
    ['gets its newest release where nothing is on its way and nothing is held back', {}, { kind: 'newest' }],
    ['stays where its newest release is what it has', { newest: 'old', open: [running] }, { kind: 'newest' }],
    ['is not held where it is being removed', { newest: null, open: [running] }, { kind: 'newest' }],
    [
      'waits for its turn in the rollout that it takes part in',
      { memberOf: 'r', open: [running] },
      { kind: 'held', rolloutId: 'r' },
    ],
    [
      'waits also in one that has stopped',
      { memberOf: 'r', open: [{ ...running, phase: 'failed' }] },
      { kind: 'held', rolloutId: 'r' },
    ],
    ['joins a rollout that runs without it', { open: [running, pending] }, { kind: 'held', rolloutId: 'r' }],
    ['waits for one that has not begun', { open: [pending] }, { kind: 'held', rolloutId: 'p' }],
    [
      'is held back with the others',
      { others: { rolloutId: 'x', reason: 'it was taken back' } },
      { kind: 'held', rolloutId: 'x', reason: 'it was taken back' },
    ],
  ])('%s', (_, facts, expected) => {
    expect(afterwards({ ...alone, ...facts })).toMatchObject(expected);
  });
});
