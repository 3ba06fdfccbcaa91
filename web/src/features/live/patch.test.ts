import { describe, expect, it } from 'vitest';
import { application } from '../applications/sample.fixture.ts';
import { keyOf } from '../applications/state.ts';
import { patchPages, patchRows } from './patch.ts';

const [a, b, c] = ['a', 'b', 'c'].map((name) => application({ name })) as [
  ReturnType<typeof application>,
  ReturnType<typeof application>,
  ReturnType<typeof application>,
];
const updates = (...apps: ReturnType<typeof application>[]) => new Map(apps.map((app) => [keyOf(app), app]));

describe('a list that is patched', () => {
  it('changes only what was read again, and keeps its order', () => {
    const changed = { ...c, sync: 'OutOfSync' };
    const patched = patchRows([a, c], updates(changed, b));
    expect(patched).toEqual([a, b, changed]);
    expect(patched[0]).toBe(a);
  });

  it('loses what is gone, and what no longer belongs', () => {
    expect(patchRows([a, b], new Map([['argocd/a', null]]))).toEqual([b]);
    expect(patchRows([a], updates(a, b), () => false)).toEqual([]);
  });
});

describe('pages of a filtered list', () => {
  it('are stale when a state changed or a row is new, since the filter may say otherwise', () => {
    const pages = [{ items: [a], next: 'x' }, { items: [b] }];
    expect(patchPages(pages, updates({ ...b, healthMessage: 'still fine' }))).toEqual({
      pages: [{ items: [a], next: 'x' }, { items: [{ ...b, healthMessage: 'still fine' }] }],
      stale: false,
    });
    expect(patchPages(pages, updates({ ...b, health: 'Degraded' })).stale).toBe(true);
    expect(patchPages(pages, updates(c)).stale).toBe(true);
    expect(patchPages(pages, new Map([['argocd/a', null]]))).toEqual({
      pages: [{ items: [], next: 'x' }, { items: [b] }],
      stale: false,
    });
  });
});
