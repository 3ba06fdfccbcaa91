import { describe, expect, it } from 'vitest';
import { FULL_POWER, objectRefusal, watchedNamespaces } from './power.ts';

const power = (some: Partial<typeof FULL_POWER>) => ({ ...FULL_POWER, ...some });
const map = (namespace: string) => ({ group: '', kind: 'ConfigMap', namespace, name: 'c' });
const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '', name: 'r' };
const namespace = (name: string) => ({ group: '', kind: 'Namespace', namespace: '', name });

describe('the namespaces of an agent', () => {
  it.each([
    [[], 'web', true],
    [['web'], 'web', true],
    [['web'], 'shop', false],
    [['team-*'], 'team-a', true],
    [['team-*', '!team-secret'], 'team-secret', false],
    [['!kube-*'], 'web', true],
    [['!kube-*'], 'kube-system', false],
  ])('%j and %s: %s', (namespaces, name, allowed) => {
    expect(objectRefusal(power({ namespaces }), map(name), 'namespaced') === undefined).toBe(allowed);
  });

  it('leave out what belongs to none, unless a list of kinds or only exclusions let it in', () => {
    expect(objectRefusal(power({ namespaces: ['web'] }), role, 'cluster')).toMatchObject({
      type: 'NamespaceDenied',
      message:
        'ClusterRole.rbac.authorization.k8s.io r belongs to no namespace; this agent is limited to web',
    });
    expect(objectRefusal(power({ namespaces: ['!kube-*'] }), role, 'cluster')).toBeUndefined();
    const listed = power({ namespaces: ['web'], clusterKinds: ['rbac.authorization.k8s.io/*'] });
    expect(objectRefusal(listed, role, 'cluster')).toBeUndefined();
    expect(objectRefusal(listed, namespace('web'), 'cluster')?.type).toBe('KindDenied');
  });

  it('hold for a Namespace by its own name too', () => {
    const teams = power({ namespaces: ['team-*'], clusterKinds: ['Namespace'] });
    expect(objectRefusal(teams, namespace('team-a'), 'cluster')).toBeUndefined();
    expect(objectRefusal(teams, namespace('kube-system'), 'cluster')?.type).toBe('NamespaceDenied');
    const spared = power({ namespaces: ['!kube-system'] });
    expect(objectRefusal(spared, namespace('kube-system'), 'cluster')?.type).toBe('NamespaceDenied');
  });

  it.each([
    [[], []],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['a', 'b', '!b'], ['a']],
    [['team-*', 'a'], []],
    [['!kube-*'], []],
  ])('%j are watched as %j', (namespaces, watched) => {
    expect(watchedNamespaces({ namespaces })).toEqual(watched);
  });
});

describe('the kinds of an agent', () => {
  it.each([
    [['ConfigMap'], true],
    [['apps/*'], false],
    [['*', '!Secret'], true],
    [['!ConfigMap'], false],
    [['!Secret'], true],
  ])('%j lets a ConfigMap in: %s', (kinds, allowed) => {
    expect(objectRefusal(power({ kinds }), map('web'), 'namespaced')?.type).toBe(
      allowed ? undefined : 'KindDenied',
    );
  });

  it('are two lists for what belongs to no namespace: both have to let it in', () => {
    expect(objectRefusal(power({ kinds: ['ConfigMap'] }), role, 'cluster')?.type).toBe('KindDenied');
    expect(objectRefusal(power({ clusterKinds: ['Namespace'] }), role, 'cluster')?.type).toBe('KindDenied');
    expect(objectRefusal(power({ clusterKinds: ['!*/ClusterRole*'] }), role, 'cluster')?.type).toBe(
      'KindDenied',
    );
    expect(
      objectRefusal(power({ clusterKinds: ['!*/ClusterRole*'] }), namespace('x'), 'cluster'),
    ).toBeUndefined();
  });
});
