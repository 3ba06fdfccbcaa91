import {
  type KubeObject,
  type SyncTask,
  foreignOf,
  guardPrunes,
  heldData,
  keyOf,
  keyString,
  mayAdopt,
  ownerOf,
  pruneDecision,
  trackersOf,
} from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL, pathOfObject, readLive } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import { contentsOf } from './contents.ts';
import type { DesiredState } from './desired.ts';
import { propagationOf } from './ordering.ts';
import { objectRefusal, requireVerb } from './power.ts';

/** What left the bundle, read anew. */
export interface Prunable {
  /** May be pruned. */
  live: KubeObject[];
  types: Map<string, ApiType>;
  /** What a guard keeps until someone confirms, by key. */
  held: Map<string, { uid: string; reason: string }>;
}

/** Finds what the Application still has in the cluster and its bundle no longer names, and what of it may go. */
export async function prunable(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  selects: (object: KubeObject) => boolean,
  signal: AbortSignal,
): Promise<Prunable> {
  const types = new Map<string, ApiType>();
  const going: KubeObject[] = [];
  const beyond: Prunable['held'] = new Map();
  const owned = [...cluster.index.ownedBy(app.key)].filter(({ hook, deleting }) => !hook && !deleting);
  const left = owned.filter(({ key }) => !desired.objects.has(key));
  await eachOf(left, PARALLEL, async ({ key, version }) => {
    const [group, kind] = key.split('/') as [string, string];
    const type = await cluster.discovery.resolve(group ? `${group}/${version}` : version, kind);
    const object =
      type && (await readLive(cluster, type, key, signal, app.assignment.impersonate || undefined));
    const owner = object && ownerOf(object);
    if (!object || !owner || `${owner.namespace}/${owner.name}` !== app.key) return;
    const decision = { prune: true, defaultPrune: app.option('Prune'), confirmed: true };
    if (pruneDecision(object, decision).action !== 'remove' || !selects(object)) return;
    const beyondLimits = objectRefusal(
      cluster.power,
      keyOf(object),
      type.namespaced ? 'namespaced' : 'cluster',
    );
    if (beyondLimits) {
      beyond.set(key, { uid: object.metadata.uid ?? '', reason: beyondLimits.message });
      return;
    }
    types.set(key, type);
    going.push(object);
  });
  const held = new Map<string, { uid: string; reason: string }>();
  const guarded = await guard(
    cluster,
    app,
    going,
    { owned: owned.length, wanted: desired.objects.size },
    signal,
  );
  for (const [key, refused] of beyond) held.set(key, refused);
  for (const { object, reason } of guarded.held) {
    held.set(keyString(keyOf(object)), { uid: object.metadata.uid ?? '', reason });
  }
  for (const object of going) holdShared(app, object, held);
  const prune = guarded.prune.filter((object) => !held.has(keyString(keyOf(object))));
  return { live: prune, types, held };
}

/** What another tool tracks too is not pruned without a word. */
function holdShared(app: Application, object: KubeObject, held: Prunable['held']): void {
  const key = keyString(keyOf(object));
  const { uid } = object.metadata;
  const shared = foreignOf(trackersOf(object));
  if (!shared || mayAdopt(trackersOf(object), app.assignment.adopt) || app.isConfirmed(key, uid)) return;
  held.set(key, { uid: uid ?? '', reason: `${shared.by} tracks it too` });
}

async function guard(
  cluster: Cluster,
  app: Application,
  going: KubeObject[],
  counts: { owned: number; wanted: number },
  signal: AbortSignal,
) {
  const keys = new Set(going.map((object) => keyString(keyOf(object))));
  const contents = new Map<KubeObject, KubeObject[]>();
  for (const object of going) contents.set(object, await contentsOf(cluster, app, object, signal));
  return guardPrunes(going, {
    ...counts,
    allowEmpty: app.assignment.syncPolicy?.allowEmpty ?? false,
    option: (name) => app.option(name),
    confirmed: (object) => app.isConfirmed(keyString(keyOf(object)), object.metadata.uid),
    holds: (object) => heldData(object, contents.get(object) ?? [], keys),
  });
}

/** Deletes one object of a plan, by its UID. Throws KubeError. */
export async function pruneOne(
  cluster: Cluster,
  app: Application,
  { live }: SyncTask,
  types: ReadonlyMap<string, ApiType>,
  signal: AbortSignal,
): Promise<void> {
  requireVerb(cluster.power, 'prune');
  const key = keyString(keyOf(live!));
  await cluster.client.remove(pathOfObject(types.get(key)!, live!), {
    uid: live!.metadata.uid,
    propagation: propagationOf(app, live!.kind),
    impersonate: app.assignment.impersonate || undefined,
    signal,
  });
  app.inventory.delete(key);
  app.kept.delete(key);
  app.confirmed.delete(key);
}
