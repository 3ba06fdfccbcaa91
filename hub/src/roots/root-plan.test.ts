import { describe, expect, it } from 'vitest';
import type { ChildKind } from './child.ts';
import type { Child } from './child-documents.ts';
import { type LiveChild, type OwnedChild, type RootFacts, planRoot } from './root-plan.ts';

const named = (name: string, kind: ChildKind = 'Application') => ({
  kind,
  namespace: kind === 'AppProject' ? '' : 'argocd',
  name,
});
const child = (name: string, wave = 0, kind: ChildKind = 'Application', hash = `${name} 1`): Child => ({
  ...named(name, kind),
  project: 'default',
  wave,
  hash,
  options: [],
  document: { kind: 'AppProject', namespace: '', name, manifest: {} },
});
const live = (name: string, changes: Partial<LiveChild> = {}): LiveChild => ({
  ...named(name),
  project: 'default',
  hash: `${name} 1`,
  owner: { mine: true },
  sync: 'Synced',
  health: 'Healthy',
  message: '',
  busy: false,
  leaving: false,
  held: null,
  tombstoned: false,
  ...changes,
});
const owned = (name: string, changes: Partial<OwnedChild> = {}): OwnedChild => ({
  ...named(name),
  appliedHash: `${name} 1`,
  wave: 0,
  options: [],
  leavingAt: null,
  heldReason: null,
  detached: false,
  gone: false,
  ...changes,
});
const plan = (changes: Partial<RootFacts>) =>
  planRoot({
    self: named('root'),
    removing: false,
    children: [],
    bad: [],
    owned: [],
    live: [],
    policy: { automated: true, prune: true, selfHeal: true, options: [] },
    request: null,
    denied: new Map(),
    ...changes,
  });
const names = (some: readonly { name: string }[]) => some.map((one) => one.name);

describe('planRoot', () => {
  it('applies the lowest wave first, projects before sets before Applications', () => {
    const children = [
      child('web'),
      child('late', 1),
      child('set', 0, 'ApplicationSet'),
      child('p', 0, 'AppProject'),
    ];
    const { apply, waits, complete } = plan({ children });
    expect(names(apply)).toEqual(['p', 'set', 'web']);
    expect(waits).toBe('wave 1 waits for Application argocd/web (being applied) and 2 more');
    expect(complete).toBe(false);
  });

  it.each([
    ['is not healthy', { health: 'Progressing' }],
    ['is not in sync', { sync: 'OutOfSync' }],
    ['is being worked on', { busy: true }],
  ])('holds the next wave while a child before it %s', (_what, state) => {
    const facts = { children: [child('db'), child('web', 1)], owned: [owned('db')] };
    expect(names(plan({ ...facts, live: [live('db', state)] }).apply)).toEqual([]);
    expect(names(plan({ ...facts, live: [live('db')] }).apply)).toEqual(['web']);
  });

  it('lets nobody wait for what cannot be applied', () => {
    const denied = new Map([['Application argocd/db', { type: 'ProjectDenied', message: 'no' }]]);
    const found = plan({ children: [child('db'), child('web', 1)], denied });
    expect(names(found.apply)).toEqual(['web']);
    expect(found.problems).toEqual([{ type: 'ProjectDenied', message: 'Application argocd/db: no' }]);
  });

  it('does nothing to what is as Git says, and leaves what was edited by hand where it does not heal', () => {
    const facts = { children: [child('web')], owned: [owned('web')] };
    expect(plan({ ...facts, live: [live('web')] })).toMatchObject({
      apply: [],
      own: [],
      sync: 'Synced',
      complete: true,
    });
    const edited = { ...facts, live: [live('web', { hash: 'edited' })] };
    const policy = { automated: true, prune: true, selfHeal: false, options: [] };
    expect(plan({ ...edited, policy })).toMatchObject({ apply: [], sync: 'OutOfSync' });
    expect(names(plan(edited).apply)).toEqual(['web']);
  });

  it('removes what left Git, but not while a document is bad, with Prune=false or without prune', () => {
    const facts = {
      children: [child('a'), child('b')],
      owned: [owned('a'), owned('b'), owned('c')],
      live: [live('a'), live('b'), live('c')],
    };
    expect(names(plan(facts).remove)).toEqual(['c']);
    expect(plan(facts).held).toBeNull();
    const bad = [{ kind: 'Application', namespace: 'argocd', name: 'x', message: 'bad' }];
    expect(plan({ ...facts, bad }).remove).toEqual([]);
    expect(
      plan({ ...facts, policy: { automated: true, prune: false, selfHeal: true, options: [] } }).remove,
    ).toEqual([]);
    const kept = [owned('a'), owned('b'), owned('c', { options: ['Prune=false'] })];
    expect(plan({ ...facts, owned: kept })).toMatchObject({ remove: [], sync: 'OutOfSync' });
  });

  it('holds what would remove more than half, or everything', () => {
    const facts = { owned: [owned('a'), owned('b'), owned('c')], live: [live('a'), live('b'), live('c')] };
    expect(plan({ ...facts, children: [child('a')] }).held).toContain('2 of 3 children');
    expect(plan(facts).held).toContain('Git holds none of the children');
  });

  it('takes back what Git names again, also without automation, and lets go what somebody restored', () => {
    const leaving = {
      owned: [owned('a', { leavingAt: new Date(0) })],
      policy: { automated: false, prune: false, selfHeal: false, options: [] },
    };
    expect(
      names(plan({ ...leaving, children: [child('a')], live: [live('a', { leaving: true })] }).apply),
    ).toEqual(['a']);
    expect(names(plan({ ...leaving, live: [live('a')] }).detach)).toEqual(['a']);
  });
});
