import type { KubeObject } from '../../src/index.ts';

/**
 * Objects as other tools leave them in a cluster. The controllers of Argo CD and Flux do not run here: their field
 * managers, marks and ways of writing are those of their releases, the API server that keeps them is real.
 */

type Kube = import('../../src/index.ts').KubeClient;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The mark of an Argo CD Application that tracks by annotation, as it does by default. */
export const argocdMark = (object: KubeObject, application = 'shop') => {
  const { apiVersion, kind, metadata } = object;
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  const id = `${application}:${group}/${kind}:${metadata.namespace}/${metadata.name}`;
  return annotated(object, { 'argocd.argoproj.io/tracking-id': id });
};

/** The marks of a Flux Kustomization. */
export const fluxMark = (object: KubeObject): KubeObject => {
  const labels = {
    'kustomize.toolkit.fluxcd.io/name': 'apps',
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  };
  return {
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } },
  };
};

const annotated = (object: KubeObject, annotations: Record<string, string>): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
});

/** A first client-side apply: made whole, with the record of what was applied. */
export async function appliedClientSide(
  kube: Kube,
  object: KubeObject,
  manager: string,
): Promise<KubeObject> {
  const record = { [LAST_APPLIED]: `${JSON.stringify(annotated(object, {}))}\n` };
  const { apiVersion, kind, metadata } = object;
  const path = `${pathOf(apiVersion)}/namespaces/${metadata.namespace}/${kind.toLowerCase()}s`;
  return (await kube.raw('POST', path, {
    body: annotated(object, record),
    query: { fieldManager: manager },
  })) as KubeObject;
}

/** A server-side apply, forced, as both tools do it. */
export async function appliedServerSide(
  kube: Kube,
  object: KubeObject,
  manager: string,
): Promise<KubeObject> {
  return (await kube.apply(object, { fieldManager: manager, force: true }))[0]!;
}

function pathOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
