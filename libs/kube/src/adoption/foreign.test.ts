import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { foreignOf, mayAdopt, parseAdopt, trackersOf } from './foreign.ts';

type Maps = { labels?: Record<string, string>; annotations?: Record<string, string> };

const deployment = (maps: Maps = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', ...maps },
});

/** The object as a manager wrote it: it owns all of its labels and annotations. */
const by = (manager: string, maps: Maps, operation = 'Update'): KubeObject => {
  const owned = (map: Record<string, string> = {}) =>
    Object.fromEntries(Object.keys(map).map((key) => [`f:${key}`, {}]));
  const fieldsV1 = {
    'f:metadata': { 'f:labels': owned(maps.labels), 'f:annotations': owned(maps.annotations) },
  };
  const object = deployment(maps);
  return { ...object, metadata: { ...object.metadata, managedFields: [{ manager, operation, fieldsV1 }] } };
};

const ARGOCD = { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/web' } };
const FLUX = {
  labels: {
    'kustomize.toolkit.fluxcd.io/name': 'apps',
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  },
};
const HELM = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'shop' },
};

const tracked = (live: KubeObject, desired = deployment()) => foreignOf(trackersOf(live, desired));

describe('objects that another tool tracks', () => {
  it('names the tool and what of it tracks the object', () => {
    expect(tracked(deployment(ARGOCD))).toEqual({ tool: 'argocd', by: 'Argo CD Application shop' });
    expect(tracked(deployment(FLUX))).toEqual({ tool: 'flux', by: 'Flux Kustomization flux-system/apps' });
    expect(tracked(deployment(HELM))).toEqual({ tool: 'helm', by: 'Helm release shop/web' });
    expect(tracked(deployment())).toBeUndefined();
  });

  it('does not believe an id that was copied from another object', () => {
    const annotations = { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/other' };
    expect(tracked(deployment({ annotations }))).toBeUndefined();
  });

  it('knows Applications of any namespace, and objects without one by the id of their destination', () => {
    const role: KubeObject = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: {
        name: 'system:x',
        annotations: {
          'argocd.argoproj.io/tracking-id': 'team_shop:rbac.authorization.k8s.io/ClusterRole:shop/system:x',
        },
      },
    };
    expect(tracked(role)?.by).toBe('Argo CD Application team/shop');
  });

  it('takes what every chart carries for no proof: neither the instance label nor managed-by', () => {
    const labels = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/managed-by': 'Helm' };
    expect(tracked(by('kubectl-client-side-apply', { labels }))).toBeUndefined();
    expect(tracked(by('argocd-controller', { labels }))).toEqual({
      tool: 'argocd',
      by: 'Argo CD Application shop',
    });
  });

  it('takes what the manifest carries itself for no proof, but for a mark that the tool wrote', () => {
    for (const marks of [ARGOCD, FLUX, HELM])
      expect(tracked(deployment(marks), deployment(marks))).toBeUndefined();
    expect(tracked(by('helm', HELM), deployment(HELM))?.tool).toBe('helm');
    expect(tracked(by('kustomize-controller', FLUX, 'Apply'), deployment(FLUX))?.tool).toBe('flux');
    expect(tracked(by('kubectl-edit', HELM), deployment(HELM))).toBeUndefined();
  });

  it('does not call foreign what kubectl applied', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' };
    expect(tracked(by('kubectl-client-side-apply', { annotations }))).toBeUndefined();
  });

  it('knows hooks of Helm by who wrote them', () => {
    const hook = { annotations: { 'helm.sh/hook': 'pre-install' } };
    expect(tracked(by('helm', hook), deployment(hook))?.tool).toBe('helm');
    expect(tracked(by('muster', hook), deployment(hook))).toBeUndefined();
  });
});

describe('an object of more than one tool', () => {
  const both = (a: Maps, b: Maps) =>
    deployment({ labels: { ...a.labels, ...b.labels }, annotations: { ...a.annotations, ...b.annotations } });

  it('what Flux installs by Helm is Flux’s', () => {
    const labels = { 'helm.toolkit.fluxcd.io/name': 'web', 'helm.toolkit.fluxcd.io/namespace': 'shop' };
    const trackers = trackersOf(both({ labels }, HELM), deployment());
    expect(foreignOf(trackers)).toEqual({ tool: 'flux', by: 'Flux HelmRelease shop/web' });
    expect(trackers[0]!.annotations).toEqual(HELM.annotations);
  });

  it('a controller counts before Helm, which acts only when somebody runs it', () => {
    const trackers = trackersOf(both(ARGOCD, HELM), deployment());
    expect(foreignOf(trackers)?.tool).toBe('argocd');
    expect([mayAdopt(trackers, 'argocd'), mayAdopt(trackers, 'helm')]).toEqual([true, false]);
  });

  it('two controllers are adopted by `any` only', () => {
    const trackers = trackersOf(both(ARGOCD, FLUX), deployment());
    expect(['argocd', 'flux', '', 'any'].map((each) => mayAdopt(trackers, each))).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(foreignOf(trackers)?.tool).toBe('any');
  });
});

it('reads the four words and no other', () => {
  expect(['argocd', 'flux', 'helm', 'any', 'Argo', '', 'true'].map(parseAdopt)).toEqual([
    'argocd',
    'flux',
    'helm',
    'any',
    undefined,
    undefined,
    undefined,
  ]);
});
