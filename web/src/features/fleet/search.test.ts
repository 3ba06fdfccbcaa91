import { describe, expect, it } from 'vitest';
import { changedSearch, isFiltered, listQuery, readSearch, rolloutsQuery, shownView } from './search.ts';

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

  it('name the object that is looked at and what of it, and let go of it with its Application', () => {
    const found = readSearch({ app: 'a/b', tree: true, object: '/Pod/shop/web-1', tab: 'logs' });
    expect(found).toEqual({ app: 'a/b', tree: true, object: '/Pod/shop/web-1', tab: 'logs' });
    expect(readSearch({ tab: 'shell' })).toEqual({});
    expect(changedSearch(found, { tab: 'events' })).toEqual({ ...found, tab: 'events' });
    expect(changedSearch(found, { app: 'a/c' })).toEqual({ app: 'a/c', tree: true });
    expect(changedSearch(found, { app: undefined })).toEqual({ tree: true });
  });

  it('name what is compared, which stands over what it was reached from', () => {
    const found = readSearch({ promotion: 'web', a: 'argocd/web#1', b: 'argocd/web#2' });
    expect(found).toEqual({ promotion: 'web', a: 'argocd/web#1', b: 'argocd/web#2' });
    expect(shownView({ a: 'x', b: 'y' })).toBe('rollouts');
    expect(shownView(found)).toBe('promotions');
    expect(changedSearch(found, { app: 'a/b' })).toEqual({ ...found, app: 'a/b' });
    expect(changedSearch(found, { view: 'list' })).toEqual({ view: 'list' });
    expect(changedSearch(found, { a: undefined, b: undefined })).toEqual({ promotion: 'web' });
  });

  it('name a rollout, which another view lets go of', () => {
    const found = readSearch({ view: 'rollouts', rollout: 'x', phase: 'failed', open: 'true', policy: 'p' });
    expect(found).toEqual({ view: 'rollouts', rollout: 'x', phase: 'failed', open: true, policy: 'p' });
    expect(shownView({ rollout: 'x' })).toBe('rollouts');
    expect(changedSearch(found, { view: undefined })).toEqual({ phase: 'failed', open: true });
    expect(changedSearch(found, { rollout: 'y', view: 'rollouts' }).rollout).toBe('y');
    expect(rolloutsQuery({ q: 'web', open: true, sync: 'Synced' })).toEqual({ search: 'web', open: true });
  });
});
