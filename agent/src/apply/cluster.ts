import type { JqPaths, KubeObject } from '@muster/kube';
import type { HubTime } from '@muster/link';
import type { KubeClient } from '../kube/client.ts';
import type { ApiType, Discovery } from '../kube/discovery.ts';
import { pathOf } from '../kube/objects.ts';
import type { Log } from '../log.ts';
import type { LiveIndex } from '../observe/live-index.ts';
import type { Claims } from './claims.ts';
import type { Power } from './power.ts';

/** The cluster as operations use it. */
export interface Cluster {
  client: KubeClient;
  discovery: Discovery;
  index: LiveIndex;
  claims: Claims;
  power: Power;
  /** Namespaces that are watched one by one; empty: the whole cluster at once. */
  namespaces: readonly string[];
  /** Whether this agent holds an Application (`namespace/name`): marks of others mean nothing here. */
  holds(application: string): boolean;
  /** How long an operation may take at most; 0: as long as it likes. */
  deadlineMs: number;
  /** Between two waves, so that controllers see the first before the second comes. */
  wavePauseMs: number;
  /** Runs the jq programs of ignoreDifferences. */
  jq: JqPaths;
  log: Log;
  now(): number;
  /** The hub's clock, which windows go by. */
  hubTime(): HubTime;
}

/** Whether a kind can be seen: an agent that watches some namespaces sees none of the cluster, unless kinds are listed. */
export function isWatchable({ namespaces, power }: Cluster, { namespaced }: ApiType): boolean {
  return namespaced || namespaces.length === 0 || power.clusterKinds.length > 0;
}

/** Requests of one kind of work that are under way at once. */
export const PARALLEL = 24;

/** The object of a key as it is now, with all its fields; undefined when it is not there. */
export function readLive(
  cluster: Cluster,
  type: ApiType,
  key: string,
  signal: AbortSignal,
  impersonate?: string,
): Promise<KubeObject | undefined> {
  const [, , namespace, name] = key.split('/') as [string, string, string, string];
  return cluster.client.find<KubeObject>(pathOf(type, namespace, name), { signal, impersonate });
}

/** Path of the object that a manifest describes. */
export function pathOfObject(type: ApiType, object: KubeObject): string {
  return pathOf(type, object.metadata.namespace, object.metadata.name);
}
