import { type KubeObject, keyOf } from '@muster/kube';
import { liveHash } from '../observe/live-object.ts';
import type { Application } from './application.ts';
import type { Cluster } from './cluster.ts';
import type { Desired } from './desired.ts';

/**
 * Which Application may write an object. A mark in the cluster decides, where this agent holds the one that it
 * names; else the one that asked first.
 */
export function ownerNow(cluster: Cluster, app: Application, key: string): string {
  const marked = cluster.index.get(key)?.owner;
  if (marked && marked !== app.key && cluster.holds(marked)) return marked;
  return cluster.claims.claim(key, app.key);
}

/** Notes in the inventory what was applied and what came of it. */
export function remember(app: Application, { key, hash }: Desired, object: KubeObject): void {
  const { version } = keyOf(object);
  app.inventory.set(key, {
    key,
    version,
    uid: object.metadata.uid ?? '',
    applied: hash,
    live: liveHash(object),
  });
}
