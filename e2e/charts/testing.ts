import type { KubeClient, KubeObject } from '../src/index.ts';

/** A namespace whose pods have to meet the restricted Pod Security Standard. */
export const restricted = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'latest',
    },
  },
});

/** The kind of the Prometheus operator, as far as the charts use it. */
export const monitorDefinition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'servicemonitors.monitoring.coreos.com' },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: { kind: 'ServiceMonitor', plural: 'servicemonitors', singular: 'servicemonitor' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    ],
  },
};

/** What a ServiceAccount may do, as the API server says to itself. */
export interface Reviewer {
  kube: KubeClient;
  do(
    verb: string,
    what: { group: string; resource: string; namespace?: string; name?: string },
  ): Promise<boolean>;
}

/** A client with the token of a ServiceAccount (`namespace/name`). */
export async function reviewer(admin: KubeClient, account: string): Promise<Reviewer> {
  const kube = admin.withToken(await admin.createToken(account));
  return {
    kube,
    do: async (verb, what) => {
      const review = await kube.create({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        metadata: { name: '' },
        spec: { resourceAttributes: { verb, ...what } },
      });
      return (review['status'] as { allowed: boolean }).allowed;
    },
  };
}
