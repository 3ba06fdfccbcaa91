import type { Facts } from '@muster/proto/records';
import { type Power, limitsOf, watchedNamespaces } from './apply/power.ts';
import type { KubeClient } from './kube/client.ts';
import type { Discovery } from './kube/discovery.ts';
import { KubeError } from './kube/errors.ts';
import { AGENT_VERSION } from './version.ts';

/** What the agent tells the hub about its cluster. Throws KubeError while the API server cannot be asked. */
export async function readFacts(client: KubeClient, discovery: Discovery, power: Power): Promise<Facts> {
  const version = await client.call<{ gitVersion: string; platform?: string }>('/version');
  await discovery.refresh();
  return {
    kubernetesVersion: version.gitVersion,
    apiVersions: await discovery.apiVersions(),
    nodeCount: await countNodes(client),
    agentVersion: AGENT_VERSION,
    platform: version.platform ?? '',
    namespaces: watchedNamespaces(power),
    limits: limitsOf(power),
  };
}

/** UID of the kube-system namespace: who the cluster is. Throws KubeError. */
export async function kubeSystemUid(client: KubeClient): Promise<string> {
  const namespace = await client.call<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system', {
    tries: 10,
  });
  return namespace.metadata.uid;
}

/** A limited agent may not list nodes: 0. */
async function countNodes(client: KubeClient): Promise<number> {
  try {
    const list = await client.call<{ metadata: { remainingItemCount?: number }; items: unknown[] }>(
      '/api/v1/nodes',
      {
        query: { limit: 1 },
        accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json',
      },
    );
    return list.items.length + (list.metadata.remainingItemCount ?? 0);
  } catch (thrown) {
    if (thrown instanceof KubeError && thrown.status === 403) return 0;
    throw thrown;
  }
}
