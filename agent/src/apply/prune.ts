import { type KubeObject, type SyncTask, keyOf, keyString, ownerOf, pruneDecision } from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL, pathOfObject, readLive } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import type { DesiredState } from './desired.ts';
import { propagationOf } from './ordering.ts';

/** What left the bundle and may be pruned, read anew, with types by key. */
export interface Prunable {
  live: KubeObject[];
  types: Map<string, ApiType>;
  /** Objects that say Prune=confirm. */
  unconfirmed: string[];
}

/** Finds what the Application still has in the cluster and its bundle no longer names. An empty bundle prunes nothing. */
export async function prunable(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  signal: AbortSignal,
): Promise<Prunable> {
  const found: Prunable = { live: [], types: new Map(), unconfirmed: [] };
  if (desired.objects.size === 0 && !app.assignment.syncPolicy?.allowEmpty) return found;
  const left = [...cluster.index.ownedBy(app.key)].filter(
    ({ key, hook }) => !hook && !desired.objects.has(key),
  );
  await eachOf(left, PARALLEL, async ({ key, version }) => {
    const [group, kind] = key.split('/') as [string, string];
    const type = await cluster.discovery.resolve(group ? `${group}/${version}` : version, kind);
    const object =
      type && (await readLive(cluster, type, key, signal, app.assignment.impersonate || undefined));
    const owner = object && ownerOf(object);
    if (!object || !owner || `${owner.namespace}/${owner.name}` !== app.key) return;
    const { action } = pruneDecision(object, { prune: true, defaultPrune: app.option('Prune') });
    if (action === 'confirm') found.unconfirmed.push(key);
    if (action !== 'remove') return;
    found.types.set(key, type);
    found.live.push(object);
  });
  return found;
}

/** Deletes one object of a plan, by its UID. Throws KubeError. */
export async function pruneOne(
  cluster: Cluster,
  app: Application,
  { live }: SyncTask,
  types: ReadonlyMap<string, ApiType>,
  signal: AbortSignal,
): Promise<void> {
  const key = keyString(keyOf(live!));
  await cluster.client.remove(pathOfObject(types.get(key)!, live!), {
    uid: live!.metadata.uid,
    propagation: propagationOf(app, live!.kind),
    impersonate: app.assignment.impersonate || undefined,
    signal,
  });
  app.inventory.delete(key);
}
