import { describe, expect, it } from 'vitest';
import { isFiltered, listQuery, readSearch } from './search.ts';

describe('search parameters', () => {
  it('are read leniently, since links are edited by hand', () => {
    expect(readSearch({ view: 'grid', q: 7, sync: '', connection: 'lost', attention: 'true', x: 1 })).toEqual(
      {
        q: '7',
        attention: true,
      },
    );
  });

  it('become the filter that the hub understands', () => {
    expect(listQuery({ view: 'list', q: 'web', set: 'argocd/web', app: 'argocd/web-prod' })).toEqual({
      search: 'web',
      set: 'argocd/web',
    });
  });

  it('filter only when one of the filters is among them', () => {
    expect(isFiltered({ view: 'list', app: 'a/b' })).toBe(false);
    expect(isFiltered({ attention: true })).toBe(true);
  });
});
