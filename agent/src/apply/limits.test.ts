import { ProjectLimits } from '@muster/proto/records';
import { describe, expect, it } from 'vitest';
import { namespaceAllowed, refusalOf } from './limits.ts';
import { FULL_POWER } from './power.ts';

const limits = (some: Partial<ProjectLimits>) =>
  ProjectLimits.fromPartial({ name: 'p', namespaces: ['*'], ...some });
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'web' } };
const web = { ...FULL_POWER, namespaces: ['web'] };
const other = { ...FULL_POWER, namespaces: ['other'] };
const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'r' } };

describe('the limits of a project', () => {
  it.each([
    [['*'], 'web', true],
    [['web-*'], 'web', false],
    [['web-*', 'web'], 'web', true],
    [['*', '!web'], 'web', false],
    [['!web', '*'], 'web', false],
    [['!other'], 'web', false],
    [[], 'web', false],
  ])('namespaces %j and %s: %s', (namespaces, namespace, allowed) => {
    expect(namespaceAllowed(limits({ namespaces }), namespace)).toBe(allowed);
  });

  it('allow no cluster-scoped kind that is not listed', () => {
    expect(refusalOf(role, 'cluster', limits({}), FULL_POWER)?.message).toContain(
      'project p does not allow ClusterRole',
    );
    const all = limits({ clusterResourceAllow: [{ group: '*', kind: '*' }] });
    expect(refusalOf(role, 'cluster', all, FULL_POWER)).toBeUndefined();
    const but = limits({
      ...all,
      clusterResourceDeny: [{ group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' }],
    });
    expect(refusalOf(role, 'cluster', but, FULL_POWER)).toBeDefined();
  });

  it('allow every namespaced kind unless a list or a denial says otherwise', () => {
    expect(refusalOf(configMap, 'namespaced', limits({}), FULL_POWER)).toBeUndefined();
    expect(
      refusalOf(configMap, 'namespaced', limits({ namespaceAllowListed: true }), FULL_POWER),
    ).toBeDefined();
    const listed = limits({
      namespaceAllowListed: true,
      namespaceResourceAllow: [{ group: '', kind: 'ConfigMap' }],
    });
    expect(refusalOf(configMap, 'namespaced', listed, FULL_POWER)).toBeUndefined();
    const denied = limits({ namespaceResourceDeny: [{ group: '', kind: 'Config*' }] });
    expect(refusalOf(configMap, 'namespaced', denied, FULL_POWER)).toBeDefined();
  });
});

describe('a limited agent', () => {
  it('refuses other namespaces and what has none', () => {
    expect(refusalOf(configMap, 'namespaced', undefined, web)).toBeUndefined();
    expect(refusalOf(configMap, 'namespaced', undefined, other)?.type).toBe('NamespaceDenied');
    expect(refusalOf(role, 'cluster', undefined, web)?.type).toBe('NamespaceDenied');
  });

  it('judges a kind that nobody knows by whether it names a namespace', () => {
    const unknown = { apiVersion: 'x/v1', kind: 'X', metadata: { name: 'x' } };
    expect(refusalOf(unknown, undefined, undefined, web)?.type).toBe('NamespaceDenied');
    const inside = { ...unknown, metadata: { name: 'x', namespace: 'web' } };
    expect(refusalOf(inside, undefined, undefined, web)).toBeUndefined();
  });
});
