import { describe, expect, it } from 'vitest';
import { application } from '../applications/sample.fixture.ts';
import { isAsked, kindWord } from './why-state.ts';

describe('why an Application is not there yet', () => {
  it('is asked where something is not as it should be, and of no other', () => {
    const fine = application({ name: 'web' });
    expect(isAsked(fine)).toBe(false);
    const since = '2026-01-01T00:00:00Z';
    for (const change of [
      { sync: 'OutOfSync' },
      { health: 'Progressing' },
      { latestCommit: 'abc' },
      { rollout: { state: 'held', since } },
    ])
      expect(isAsked({ ...fine, ...change })).toBe(true);
  });

  it('is told by kinds in words, those that are not known yet too', () => {
    expect(kindWord('sync-window')).toBe('sync window');
    expect(kindWord('moon')).toBe('moon');
  });
});
