import type { KubeClient } from '../../src/index.ts';

interface Resource {
  name: string;
  namespaced: boolean;
  verbs: string[];
}

/** Written by nodes and by whoever holds a Lease, all the time. */
const RESTLESS = new Set(['leases', 'events', 'nodes']);

/** The resourceVersion of every object of a cluster, by its path, but for those of a namespace that an agent has for itself. */
export async function versionsOf(kube: KubeClient, except: string): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const group of await groupPaths(kube)) {
    const { resources } = (await kube.raw('GET', group)) as { resources: Resource[] };
    for (const { name, verbs } of resources) {
      if (name.includes('/') || RESTLESS.has(name) || !verbs.includes('list')) continue;
      const { items } = (await kube.raw('GET', `${group}/${name}`)) as {
        items: { metadata: { name: string; namespace?: string; resourceVersion?: string } }[];
      };
      for (const { metadata } of items) {
        if (metadata.namespace === except) continue;
        versions[`${group}/${name}/${metadata.namespace ?? ''}/${metadata.name}`] =
          metadata.resourceVersion ?? '';
      }
    }
  }
  return versions;
}

async function groupPaths(kube: KubeClient): Promise<string[]> {
  const { groups } = (await kube.raw('GET', '/apis')) as {
    groups: { preferredVersion: { groupVersion: string } }[];
  };
  return ['/api/v1', ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`)];
}
