import { LOCAL_NAME, LOCAL_SERVER } from '@muster/appset';
import { type KubeObject, parseApiVersion } from '@muster/kube';
import type { ClusterFacts } from '../clusters/clusters.service.ts';
import { CHILD_GROUP, isChildKind } from './child.ts';

/** How a destination names the hub itself, whatever is registered. */
export const HUB_NAME = 'hub';
export const HUB_SERVER = 'muster://hub';
/** Stands for the hub where a cluster's id is asked for; no cluster has it. */
export const HUB_ID = '00000000-0000-0000-0000-000000000000';

/** What names a destination in an Application. */
export interface Destination {
  server?: string;
  name?: string;
}

/** Whether a destination means the hub and nothing else. */
export function isHub({ name, server }: Destination): boolean {
  return name ? name === HUB_NAME : server?.replace(/\/+$/, '') === HUB_SERVER;
}

/** Whether a destination means the cluster that the hub runs in: `in-cluster`, as Argo CD calls it. */
export function isInCluster({ name, server }: Destination): boolean {
  return name ? name === LOCAL_NAME : server?.replace(/\/+$/, '') === LOCAL_SERVER;
}

/** The hub as the cluster of a destination that means it; undefined for one that cannot. */
export function hubAsCluster(destination: Destination): ClusterFacts | undefined {
  const hub = isHub(destination);
  if (!hub && !isInCluster(destination)) return undefined;
  return {
    id: HUB_ID,
    name: hub ? HUB_NAME : LOCAL_NAME,
    server: hub ? HUB_SERVER : LOCAL_SERVER,
    labels: {},
    annotations: {},
    local: true,
    version: 1n,
  };
}

/** Whether an object of an Application goes to the hub: Applications, ApplicationSets and AppProjects of a destination that may mean it. */
export function belongsToHub(destination: Destination, object: KubeObject): boolean {
  if (!isHub(destination) && !isInCluster(destination)) return false;
  return parseApiVersion(object.apiVersion).group === CHILD_GROUP && isChildKind(object.kind);
}
