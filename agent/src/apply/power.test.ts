import { describe, expect, it } from 'vitest';
import {
  FULL_POWER,
  accountRefusal,
  excludesKind,
  objectRefusal,
  requestRefusal,
  watchedNamespaces,
} from './power.ts';

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

it('looks at kinds that are not listed, and not at those that are excluded', () => {
  const secret = { group: '', kind: 'Secret' };
  expect(excludesKind(power({ kinds: ['apps/*'] }), secret)).toBe(false);
  expect(excludesKind(power({ kinds: ['*', '!Secret'] }), secret)).toBe(true);
});

describe('the account of an Application', () => {
  const project = { name: 'shop', serviceAccounts: ['web/deployer'], needsServiceAccount: true };

  it('is one that its project lists and the agent acts as', () => {
    expect(accountRefusal(FULL_POWER, 'web/deployer', project)).toBeUndefined();
    expect(accountRefusal(FULL_POWER, 'web/admin', project)).toContain('project shop does not allow');
    expect(accountRefusal(FULL_POWER, 'web/deployer', undefined)).toContain('does not allow');
    const others = power({ serviceAccounts: ['*/other'] });
    expect(accountRefusal(others, 'web/deployer', project)).toContain(
      'does not act as ServiceAccount web/deployer',
    );
    expect(accountRefusal(power({ serviceAccounts: ['web/*'] }), 'web/deployer', project)).toBeUndefined();
  });

  it('is never the agent’s own where one is needed', () => {
    expect(accountRefusal(FULL_POWER, '', undefined)).toBeUndefined();
    expect(accountRefusal(FULL_POWER, '', project)).toContain('needs a ServiceAccount');
    expect(accountRefusal(power({ needsServiceAccount: true }), '', undefined)).toContain(
      'writes nothing as itself',
    );
  });
});

describe('a request to the API server', () => {
  const request = (writes: boolean, account?: string) => ({ path: '/api/v1/x', writes, account });

  it('is not sent by an observer when it writes', () => {
    const observer = power({ accepted: new Set(['refresh', 'diff']) });
    expect(requestRefusal(observer, request(true))).toContain('changes nothing');
    expect(requestRefusal(observer, request(true, 'web/deployer'))).toContain('changes nothing');
    expect(requestRefusal(observer, request(false))).toBeUndefined();
  });

  it('is not sent as an account that the agent does not act as, nor as the agent where it needs one', () => {
    const limited = power({ serviceAccounts: ['web/*'], needsServiceAccount: true });
    expect(requestRefusal(limited, request(false, 'web/a'))).toBeUndefined();
    expect(requestRefusal(limited, request(false, 'kube-system/a'))).toContain('does not act as');
    expect(requestRefusal(limited, request(true))).toContain('writes nothing as itself');
    expect(requestRefusal(limited, request(false))).toBeUndefined();
  });
});
