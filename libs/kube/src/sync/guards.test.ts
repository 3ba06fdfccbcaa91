import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { type GuardFacts, guardPrunes, heldData } from './guards.ts';

const object = (name: string, options?: string, rest: Partial<KubeObject> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace: 'shop',
    ...(options && { annotations: { 'argocd.argoproj.io/sync-options': options } }),
  },
  ...rest,
});

const facts = (more: Partial<GuardFacts> = {}): GuardFacts => ({
  owned: 10,
  wanted: 5,
  allowEmpty: false,
  option: () => undefined,
  confirmed: () => false,
  holds: () => undefined,
  ...more,
});

const names = (prunes: KubeObject[], of: GuardFacts) => {
  const { prune, held } = guardPrunes(prunes, of);
  return { prune: prune.map(({ metadata }) => metadata.name), held: held.map(({ reason }) => reason) };
};

describe('what would be pruned', () => {
  const six = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => object(name));

  it('goes while it is no more than half', () => {
    expect(names(six.slice(0, 5), facts())).toEqual({ prune: ['a', 'b', 'c', 'd', 'e'], held: [] });
  });

  it('is held when it is more than half, or all of it, unless allowEmpty says so', () => {
    const { prune, held } = names(six, facts());
    expect(prune).toEqual([]);
    expect(held[0]).toContain('6 of 10 objects would go, more than half');
    expect(names(six.slice(0, 1), facts({ wanted: 0 })).held[0]).toContain('the release is empty');
    expect(names(six, facts({ allowEmpty: true, wanted: 0 })).held).toEqual([]);
  });

  it('goes when it is a single object that gives way to another', () => {
    expect(names([object('a')], facts({ owned: 1, wanted: 1 }))).toEqual({ prune: ['a'], held: [] });
  });

  it('goes once it is confirmed, and what is left is judged by itself', () => {
    const confirmed = ({ metadata }: KubeObject) => metadata.name! < 'e';
    expect(names(six, facts({ confirmed }))).toEqual({ prune: ['a', 'b', 'c', 'd', 'e', 'f'], held: [] });
  });

  it('waits where it says Prune=confirm, itself or by the Application', () => {
    expect(names([object('a', 'Prune=confirm')], facts()).held).toEqual([
      'Prune=confirm: waits for a confirmation',
    ]);
    const option = (name: string) => (name === 'Prune' ? 'confirm' : undefined);
    expect(names([object('a')], facts({ option })).held).toHaveLength(1);
    expect(names([object('a', 'Prune=true')], facts({ option })).prune).toEqual(['a']);
  });

  it('is kept where it holds data, unless the policy says otherwise', () => {
    const holds = () => 'it holds data';
    expect(names([object('a')], facts({ holds })).held[0]).toContain('it holds data');
    expect(names([object('a', 'PruneData=true')], facts({ holds })).prune).toEqual(['a']);
    expect(names([object('a')], facts({ holds, option: () => 'true' })).prune).toEqual(['a']);
  });
});

describe('what an object holds', () => {
  const none = new Set<string>();
  const claim = (rest: Partial<KubeObject>) =>
    object('claim', '', { kind: 'PersistentVolumeClaim', ...rest });
  const namespace = object('shop', '', { kind: 'Namespace', metadata: { name: 'shop' } });

  it('is data once a claim is bound', () => {
    expect(heldData(claim({ status: { phase: 'Pending' } }), [], none)).toBeUndefined();
    expect(heldData(claim({ status: { phase: 'Bound' }, spec: { volumeName: 'v1' } }), [], none)).toContain(
      'v1',
    );
  });

  it('is what else is in a Namespace, but for what goes with it and what every Namespace has', () => {
    const root = object('kube-root-ca.crt');
    const account = object('default', '', { kind: 'ServiceAccount' });
    expect(heldData(namespace, [root, account], none)).toBeUndefined();
    expect(heldData(namespace, [root, object('a')], new Set(['/ConfigMap/shop/a']))).toBeUndefined();
    expect(heldData(namespace, [object('a'), object('b')], none)).toBe(
      'it holds ConfigMap shop/a and another object',
    );
  });

  it('is the objects of a defined kind', () => {
    const definition = object('widgets.example.org', '', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
    });
    const widget = object('w', '', { apiVersion: 'example.org/v1', kind: 'Widget' });
    expect(heldData(definition, [widget], none)).toBe('Widget.example.org shop/w would go with it');
    expect(heldData(definition, [], none)).toBeUndefined();
    expect(heldData(object('a'), [widget], none)).toBeUndefined();
  });
});
