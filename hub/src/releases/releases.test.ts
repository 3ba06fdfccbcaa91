import { describe, expect, test } from 'vitest';
import {
  applyContent,
  applyPayload,
  encodeContent,
  tombstonePayload,
} from '../assignments/assignment-content.ts';
import type { Target } from './targets.ts';
import { type Assigned, planAssignments } from '../assignments/assignment-plan.ts';
import { Action, Assignment } from '@muster/proto';
import { assignmentDigest } from '@muster/link';
import type { Project } from '@muster/kube';
import { limitsOn, namespacesOn, permitsNamespace } from '../projects/project-policy.ts';
import { makeBundle, readBundle } from './bundle.ts';
import { causeOf, releaseDifference } from './release-plan.ts';

const target = (name: string, over: Partial<Target> = {}): Target => ({
  applicationId: name,
  namespace: 'argocd',
  name,
  clusterId: 'c',
  digest: `d-${name}`,
  bundleDigest: 'b',
  commit: 'abcdef0123',
  commits: null,
  removed: null,
  ...over,
});
const assigned = (name: string, over: Partial<Assigned> = {}): Assigned => ({
  clusterId: 'c',
  namespace: 'argocd',
  name,
  action: 'apply',
  digest: `d-${name}`,
  windowsDigest: '',
  epoch: 1n,
  generation: 1n,
  ...over,
});

describe('what has to be signed', () => {
  test('nothing for equal digests, whatever their release or commit', () => {
    expect(planAssignments([target('a', { commit: 'other' })], [assigned('a')], 1n)).toEqual([]);
  });

  test('new, changed, and what an older epoch signed', () => {
    const targets = [target('new'), target('changed', { digest: 'x' }), target('old'), target('same')];
    const rows = [assigned('changed'), assigned('old', { epoch: 1n }), assigned('same', { epoch: 2n })];
    expect(planAssignments(targets, rows, 2n).map((one) => one.target.name)).toEqual([
      'new',
      'changed',
      'old',
    ]);
  });

  test('a tombstone once, and none for what was never assigned', () => {
    const gone = (name: string) => target(name, { digest: null, removed: 'uninstall' });
    const rows = [assigned('a'), assigned('b', { action: 'uninstall', digest: null })];
    expect(planAssignments([gone('a'), gone('b'), gone('c')], rows, 1n)).toMatchObject([
      { kind: 'tombstone', action: 'uninstall', target: { name: 'a' } },
    ]);
  });
});

describe('releases', () => {
  test('equal targets are no release', () => {
    expect(releaseDifference([target('a')], [target('a', { commit: 'later' })])).toBeUndefined();
    expect(releaseDifference([target('a', { digest: null, removed: 'orphan' })], [])).toBeUndefined();
  });

  test('say why they came to be', () => {
    const cause = (before: Target[], after: Target[]) =>
      causeOf(releaseDifference(before, after)!, () => 'main');
    expect(cause([target('a')], [target('a', { digest: 'x', commit: '1234567890' })])).toBe(
      'commit 1234567 on main',
    );
    expect(cause([target('a')], [target('a', { digest: 'x' })])).toBe('specification');
    expect(cause([target('a')], [target('a', { digest: null, commit: null, removed: 'orphan' })])).toBe(
      'removal of a',
    );
  });
});

test('a bundle is the same for objects in any order, and comes back as it was', () => {
  const objects = ['b', 'a'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }));
  const bundle = makeBundle(objects);
  expect(makeBundle([...objects].reverse()).digest).toBe(bundle.digest);
  expect(readBundle(bundle.stored, bundle.plainSize)).toEqual([...objects].reverse());
  expect(() => readBundle(bundle.stored, 10)).toThrow();
});

describe('assignments', () => {
  const project: Project = { name: 'p', spec: { destinations: [{ server: '*', namespace: '*' }] } };
  const application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'a', namespace: 'argocd' },
    spec: {
      project: 'p',
      destination: { name: 'c', namespace: 'n' },
      syncPolicy: { syncOptions: ['CreateNamespace=true'] },
    },
  };
  const cluster = { name: 'c', server: 'muster://c' };
  const content = (over = {}) =>
    applyContent({ ...application, ...over }, { digest: 'd', size: 5n }, limitsOn(project, cluster), []);
  const header = { hubId: 'h', clusterId: 'c1', epoch: 2n, generation: 7n, releaseId: 'r', revision: 'abc' };

  test('without `automated` nothing is automatic', () => {
    expect(content().syncPolicy).toMatchObject({
      automated: false,
      prune: false,
      selfHeal: false,
      createNamespace: true,
    });
    const disabled = {
      spec: { ...application.spec, syncPolicy: { automated: { enabled: false, prune: true } } },
    };
    expect(content(disabled).syncPolicy).toMatchObject({ automated: false, prune: false });
  });

  test('says whose objects may be taken over, and names a word that means nothing', () => {
    const adopting = (word: string) =>
      content({ metadata: { ...application.metadata, annotations: { 'muster.dev/adopt': word } } });
    expect(adopting('flux')).toMatchObject({ adopt: 'flux', notices: [] });
    expect(adopting('Argo')).toMatchObject({
      adopt: '',
      notices: ['muster.dev/adopt: "Argo" is none of argocd, flux, helm and any: nothing is adopted'],
    });
    expect(encodeContent(adopting('any')).digest).not.toBe(encodeContent(content()).digest);
  });

  test('the digest is of the content, not of cluster, version or release', () => {
    const { digest, content: bytes } = encodeContent(content());
    const signed = Assignment.decode(applyPayload(bytes, header));
    expect(signed).toMatchObject({
      hubId: 'h',
      clusterId: 'c1',
      version: { epoch: 2n, generation: 7n },
      bundleSize: 5n,
    });
    expect(assignmentDigest(signed)).toBe(digest);
  });

  test('a tombstone names what it removes and nothing to apply', () => {
    const tombstone = Assignment.decode(
      tombstonePayload({ namespace: 'argocd', name: 'a' }, 'orphan', header),
    );
    expect(tombstone).toMatchObject({
      action: Action.ORPHAN,
      applicationName: 'a',
      bundleDigest: '',
      project: undefined,
    });
  });
});

describe('project limits on one cluster', () => {
  const on = (destinations: Project['spec']['destinations']) =>
    namespacesOn({ name: 'p', spec: { destinations } }, { name: 'prod', server: 'muster://prod' });

  test('only entries of the cluster count', () => {
    expect(
      on([
        { name: 'prod', namespace: 'a' },
        { name: 'dev', namespace: 'b' },
        { server: 'muster://*', namespace: 'c-*' },
      ]),
    ).toEqual(['a', 'c-*']);
    expect(on([{ name: 'dev', namespace: '*' }])).toEqual([]);
  });

  test('denials stay denials', () => {
    const globs = on([
      { server: '*', namespace: '*' },
      { server: '*', namespace: '!kube-*' },
    ]);
    expect(permitsNamespace(globs, 'shop')).toBe(true);
    expect(permitsNamespace(globs, 'kube-system')).toBe(false);
    expect(
      permitsNamespace(
        on([
          { server: '*', namespace: '*' },
          { name: '!prod', namespace: '*' },
        ]),
        'shop',
      ),
    ).toBe(false);
  });
});
