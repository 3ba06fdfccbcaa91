import { describe, expect, it } from 'vitest';
import {
  destinationDecision,
  type Project,
  type ProjectSpec,
  projectProblems,
  resourceDecision,
  sourceDecision,
  unsupportedProjectFields,
} from './projects.ts';

const project = (spec: ProjectSpec): Project => ({ name: 'shop', spec });

describe('sourceRepos', () => {
  it.each([
    [['*'], 'https://git.test/a/b', true],
    [[], 'https://git.test/a', false],
    [['https://git.test/a'], 'https://git.test/A.git', true],
    [['https://git.test/*'], 'https://git.test/a/b', false],
    [['https://git.test/**'], 'https://git.test/a/b', true],
    [['git@git.test:a/*'], 'ssh://git@git.test/a/b.git', true],
    [['*', '!https://git.test/secret'], 'https://git.test/secret', false],
    [['*', '!https://git.test/secret'], 'https://git.test/other', true],
    [['!https://git.test/secret'], 'https://git.test/other', true],
  ] as [string[], string, boolean][])('%j with %s is %s', (sourceRepos, url, allowed) => {
    expect(sourceDecision(project({ sourceRepos }), url).allowed).toBe(allowed);
  });

  it('says why not', () => {
    expect(sourceDecision(project({}), 'https://git.test/a')).toEqual({
      allowed: false,
      reason: 'project "shop" does not allow the repository https://git.test/a (sourceRepos)',
    });
  });
});

describe('destinations', () => {
  const prod = { server: 'https://prod:6443', name: 'prod', namespace: 'web' };
  it.each([
    [[{ server: '*', namespace: '*' }], true],
    [[], false],
    [[{ name: 'prod', namespace: 'web' }], true],
    [[{ name: 'prod', namespace: 'api' }], false],
    [[{ server: 'https://prod:*', namespace: 'w*' }], true],
    [[{ name: 'dev', namespace: '*' }], false],
    [
      [
        { server: '*', namespace: '*' },
        { server: '*', namespace: '!web' },
      ],
      false,
    ],
    [
      [
        { server: '*', namespace: '*' },
        { name: '*', namespace: '!web' },
      ],
      false,
    ],
    [[{ server: '*', namespace: '!kube-system' }], true],
    [
      [
        { server: '*', namespace: '*' },
        { server: '!https://prod:6443', namespace: '*' },
      ],
      false,
    ],
    [
      [
        { name: '*', namespace: '*' },
        { name: '!prod', namespace: '*' },
      ],
      false,
    ],
  ] as [ProjectSpec['destinations'], boolean][])('%j is %s', (destinations, allowed) => {
    expect(destinationDecision(project({ destinations }), prod).allowed).toBe(allowed);
  });
});

describe('resource lists', () => {
  const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' };
  const secret = { group: '', kind: 'Secret' };

  it('closes cluster-scoped types unless they are listed', () => {
    expect(resourceDecision(project({}), role, 'cluster', 'a').allowed).toBe(false);
    const open = project({ clusterResourceWhitelist: [{ group: '*', kind: '*' }] });
    expect(resourceDecision(open, role, 'cluster', 'a').allowed).toBe(true);
    const named = project({
      clusterResourceWhitelist: [{ group: '*', kind: 'ClusterRole', name: 'shop-*' }],
    });
    expect(resourceDecision(named, role, 'cluster', 'shop-view').allowed).toBe(true);
    expect(resourceDecision(named, role, 'cluster', 'admin').allowed).toBe(false);
  });

  it('opens namespaced types unless there is a list without them', () => {
    expect(resourceDecision(project({}), secret, 'namespaced', 's').allowed).toBe(true);
    expect(
      resourceDecision(project({ namespaceResourceWhitelist: [] }), secret, 'namespaced', 's').allowed,
    ).toBe(false);
    const apps = project({ namespaceResourceWhitelist: [{ group: 'apps', kind: '*' }] });
    expect(resourceDecision(apps, secret, 'namespaced', 's').allowed).toBe(false);
    expect(resourceDecision(apps, { group: 'apps', kind: 'Deployment' }, 'namespaced', 's').allowed).toBe(
      true,
    );
  });

  it('lets the blacklist win', () => {
    const both = project({
      namespaceResourceWhitelist: [{ group: '*', kind: '*' }],
      namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }],
    });
    expect(resourceDecision(both, secret, 'namespaced', 's')).toEqual({
      allowed: false,
      reason: 'project "shop" forbids Secret "s" (namespaceResourceBlacklist)',
    });
  });
});

describe('projects as they are written', () => {
  it('names the fields that nothing enforces, unless they ask for nothing', () => {
    const spec = {
      roles: [{ name: 'a' }],
      syncWindows: [],
      orphanedResources: {},
      permitOnlyProjectScopedClusters: false,
    };
    expect(unsupportedProjectFields(project(spec))).toEqual(['spec.roles', 'spec.orphanedResources']);
    expect(unsupportedProjectFields(project(spec), ['roles', 'orphanedResources'])).toEqual([]);
  });

  it('finds rules that cannot be meant', () => {
    expect(projectProblems(project({ sourceRepos: ['!*'] }))).toEqual([
      'spec.sourceRepos: "!*" excludes everything',
    ]);
    expect(projectProblems(project({ destinations: {} as never }))).toEqual([
      'spec.destinations must be a list',
    ]);
  });
});
