import { describe, expect, it } from 'vitest';
import { application } from '../applications/sample.fixture.ts';
import { EMPTY_FORM, outcome, pinOffers, pinText, secondsOf, wrongIn } from './pins.ts';

const pinned = { by: 'ada', reason: 'incident 42', since: '2026-01-01T00:00:00Z' };
const revision = { commit: 'a'.repeat(40) } as never;
const app = (more: object = {}) =>
  application({
    name: 'web',
    revision,
    destination: { cluster: 'prod', namespace: 'shop' } as never,
    ...more,
  });

describe('what can be asked of a pin', () => {
  it('is to pin, and once pinned to let go or to change it', () => {
    expect(pinOffers(app(), true).map(({ ask, refused }) => [ask, refused])).toEqual([['pin', undefined]]);
    expect(pinOffers(app({ pinned }), true).map(({ ask }) => ask)).toEqual(['unpin', 'pin']);
  });

  it('needs the role operator, and says so', () => {
    for (const { refused } of pinOffers(app({ pinned }), false))
      expect(refused).toBe('This needs the role operator of the project default.');
  });

  it('makes no sense for what leaves, is nowhere or holds nothing', () => {
    const refusedFor = (more: object) => pinOffers(app(more), true).at(-1)!.refused;
    expect(refusedFor({ leaving: { at: '', action: 'orphan' } })).toMatch(/leaving/);
    expect(refusedFor({ destination: { server: 'https://x' } })).toMatch(/no cluster/);
    expect(refusedFor({ revision: undefined })).toMatch(/holds nothing/);
  });
});

describe('a pin that is asked for', () => {
  it('says whose pin it replaces, and who has to sync', () => {
    const { says } = pinText(app({ pinned, automated: false }), 'pin');
    expect(says.join(' ')).toContain('takes the place of the pin of ada: incident 42');
    expect(says.join(' ')).toContain('synced by hand');
  });

  it('lasts as long as was said, at most a year', () => {
    expect(secondsOf(EMPTY_FORM)).toBeUndefined();
    expect(secondsOf({ ...EMPTY_FORM, length: '1d' })).toBe(86_400);
    const other = { ...EMPTY_FORM, length: 'other', unit: 'days' as const };
    expect(secondsOf({ ...other, amount: '3' })).toBe(3 * 86_400);
    expect(wrongIn({ ...other, amount: '365' })).toBeUndefined();
    for (const amount of ['', '0', '-1', '1.5', '366', 'x'])
      expect(wrongIn({ ...other, amount })).toMatch(/whole number/);
  });

  it('is told as the hub answers', () => {
    expect(outcome({ next: 'it waits for its turn' })).toBe('Let go of: it waits for its turn.');
    const pin = { ...pinned, release: { id: '1', number: 4, cause: 'commit 1a2b3c4' } };
    expect(outcome({ pin, synced: 'automated' })).toBe('Pinned at release #4 (commit 1a2b3c4).');
  });
});
