import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import { type KubeObject, definedType } from '@muster/kube';
import type { Cluster } from './cluster.ts';

const WITHIN_MS = 60_000;

interface Definition extends KubeObject {
  spec: { versions?: { name: string; served?: boolean }[] };
  status?: { conditions?: { type: string; status: string; message?: string }[] };
}

/** Waits until CustomResourceDefinitions are established and their kinds are served. Throws what keeps them. */
export async function waitForDefinitions(
  cluster: Cluster,
  definitions: KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  const deadline = cluster.now() + WITHIN_MS;
  for (const written of definitions) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${written.metadata.name}`;
    for (;;) {
      const live = await cluster.client.call<Definition>(path, { signal });
      const condition = (type: string) => live.status?.conditions?.find((each) => each.type === type);
      if (condition('NamesAccepted')?.status === 'False') {
        const reason = condition('NamesAccepted')?.message;
        throw new MusterError('conflict', `the names of ${written.metadata.name} are taken: ${reason}`);
      }
      if (condition('Established')?.status === 'True' && (await served(cluster, live))) break;
      if (cluster.now() > deadline) {
        throw new MusterError('unavailable', `${written.metadata.name} was not established within a minute`);
      }
      await sleep(100, undefined, { signal });
    }
  }
}

/** Established comes a moment before the discovery document shows the kind. */
async function served(cluster: Cluster, live: Definition): Promise<boolean> {
  const type = definedType(live);
  const version = live.spec.versions?.find((each) => each.served !== false)?.name;
  if (!type || !version) return true;
  await cluster.discovery.refresh();
  return (await cluster.discovery.resolve(`${type.group}/${version}`, type.kind)) !== undefined;
}
