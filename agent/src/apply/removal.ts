import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import {
  APPLICATION_LABEL,
  HOOK_FINALIZER,
  type KubeObject,
  TRACKING_ANNOTATION,
  applicationLabel,
  deleteDecision,
  keyOf,
  keyString,
  ownerOf,
  planSync,
} from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError, safeMessage } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import { kindOf } from '../observe/live-index.ts';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL, pathOfObject, readLive } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import { releaseHook } from './hooks.ts';
import { groupsOf, propagationOf } from './ordering.ts';
import { may, requireObject, requireVerb } from './power.ts';

/** An object that still is the Application's, with its type. */
interface Owned {
  key: string;
  object: KubeObject;
  type: ApiType;
}

const GONE_WITHIN_MS = 10 * 60_000;

/** Takes Muster's marks off everything of the Application and leaves it as it is. Throws MusterError; may be repeated. */
export async function orphan(cluster: Cluster, app: Application, signal: AbortSignal): Promise<void> {
  const owned = await ownedObjects(cluster, app, signal);
  if (owned.length > 0 && !may(cluster.power, 'uninstall')) requireVerb(cluster.power, 'orphan');
  await eachOf(owned, PARALLEL, async ({ object, type }) => {
    const { uid, resourceVersion, finalizers } = object.metadata;
    const body = {
      metadata: {
        uid,
        resourceVersion,
        labels: { [APPLICATION_LABEL]: null },
        annotations: { [TRACKING_ANNOTATION]: null },
        ...(finalizers?.includes(HOOK_FINALIZER) && {
          finalizers: finalizers.filter((each) => each !== HOOK_FINALIZER),
        }),
      },
    };
    await cluster.client.call(pathOfObject(type, object), {
      method: 'PATCH',
      body,
      contentType: 'application/merge-patch+json',
      impersonate: app.assignment.impersonate || undefined,
      signal,
    });
  }).catch((thrown: unknown) => {
    if (!(thrown instanceof KubeError) || (!thrown.notFound && thrown.status !== 409)) throw thrown;
    throw new MusterError('unavailable', 'objects changed while they were let go');
  });
}

/**
 * Deletes everything of the Application in the reverse of the order in which it was applied, each by its UID, and
 * waits until it is gone. Objects that say so are kept, without Muster's marks. Throws MusterError; may be repeated.
 */
export async function uninstall(cluster: Cluster, app: Application, signal: AbortSignal): Promise<void> {
  const owned = new Map((await ownedObjects(cluster, app, signal)).map((each) => [each.key, each]));
  const objects = [...owned.values()].map(({ object }) => object);
  const remove = objects.filter((object) => decisionOn(app, object).action === 'remove');
  const tasks = planSync(remove, [], { namespace: '', skipHooks: true });
  const planned = new Set(tasks.map(({ target }) => keyString(keyOf(target!))));
  // Hooks of an earlier owner and the like are not in the plan: they go first.
  const unplanned = remove.filter((object) => !planned.has(keyString(keyOf(object))));
  const groups = [
    unplanned,
    ...groupsOf(tasks)
      .reverse()
      .map((group) => group.map(({ target }) => target!)),
  ];
  for (const group of groups) {
    await eachOf(group, PARALLEL, (object) =>
      removeOne(cluster, app, owned.get(keyString(keyOf(object)))!, signal),
    );
  }
  await orphan(cluster, app, signal);
}

/** How many objects in the cluster are marked as the Application's. Reads only. */
export async function countOwned(cluster: Cluster, app: Application, signal: AbortSignal): Promise<number> {
  return (await ownedObjects(cluster, app, signal)).length;
}

/** Notes the objects that say Delete=confirm and that nobody has confirmed, for people to see. Answers how many. */
export async function awaitsConfirmation(
  cluster: Cluster,
  app: Application,
  signal: AbortSignal,
): Promise<number> {
  const asking = new Set<string>();
  for (const { key, object } of await ownedObjects(cluster, app, signal)) {
    if (decisionOn(app, object).action !== 'confirm') continue;
    const reason = 'Delete=confirm: the removal waits for a confirmation';
    app.keep(key, object.metadata.uid ?? '', reason, cluster.now());
    asking.add(key);
  }
  for (const key of app.kept.keys()) if (!asking.has(key)) app.kept.delete(key);
  return asking.size;
}

function decisionOn(app: Application, object: KubeObject) {
  const confirmed = app.isConfirmed(keyString(keyOf(object)), object.metadata.uid);
  return deleteDecision(object, { defaultDelete: app.option('Delete'), confirmed });
}

async function removeOne(
  cluster: Cluster,
  app: Application,
  { key, object, type }: Owned,
  signal: AbortSignal,
) {
  requireVerb(cluster.power, 'uninstall');
  const { uid } = object.metadata;
  const impersonate = app.assignment.impersonate || undefined;
  try {
    await cluster.client.remove(pathOfObject(type, object), {
      uid,
      propagation: propagationOf(app, object.kind),
      impersonate,
      signal,
    });
  } catch (thrown) {
    // Another object has that name by now: it is not ours.
    if (thrown instanceof KubeError && thrown.status === 409) return;
    throw new MusterError('unavailable', `${key}: ${safeMessage(object.kind, thrown)}`, { cause: thrown });
  }
  if (object.metadata.finalizers?.includes(HOOK_FINALIZER))
    await releaseHook(cluster, app, type, key, signal);
  const deadline = cluster.now() + GONE_WITHIN_MS;
  for (let pause = 50; ; pause = Math.min(pause * 2, 2_000)) {
    const live = await readLive(cluster, type, key, signal, impersonate);
    if (!live || live.metadata.uid !== uid) return;
    if (cluster.now() > deadline) {
      const finalizers = (live.metadata.finalizers ?? []).join(', ');
      throw new MusterError(
        'unavailable',
        `${key} is being deleted and waits for ${finalizers || 'the API server'}`,
      );
    }
    await sleep(pause, undefined, { signal });
  }
}

/** What the index and the record say is the Application's, read anew and checked. */
async function ownedObjects(cluster: Cluster, app: Application, signal: AbortSignal): Promise<Owned[]> {
  const kinds = new Set([...app.inventory.keys(), ...(app.desired?.keys() ?? [])].map(kindOf));
  for (const kind of app.hookKinds) kinds.add(kind);
  const types = new Map<string, ApiType>();
  for (const name of kinds) {
    const [group, kind] = name.split('/') as [string, string];
    const type = await cluster.discovery.resolveKind(group, kind);
    // A kind that is no longer served has no objects.
    if (!type) continue;
    types.set(name, type);
    await cluster.index.ready(type, signal);
  }
  const keys = new Set(app.inventory.keys());
  // A record that was lost leaves only the labels to go by.
  if (keys.size === 0) for (const key of await labelled(cluster, app, signal)) keys.add(key);
  for (const { key } of cluster.index.ownedBy(app.key)) keys.add(key);
  const owned: Owned[] = [];
  await eachOf([...keys], PARALLEL, async (key) => {
    const [group, kind] = key.split('/') as [string, string];
    const type = types.get(kindOf(key)) ?? (await cluster.discovery.resolveKind(group, kind));
    const object =
      type && (await readLive(cluster, type, key, signal, app.assignment.impersonate || undefined));
    if (!object || !type) return;
    const owner = ownerOf(object);
    if (owner && `${owner.namespace}/${owner.name}` === app.key) owned.push({ key, object, type });
  });
  // Nothing is removed half: what the agent may not touch keeps all of it.
  for (const { object, type } of owned)
    requireObject(cluster.power, keyOf(object), type.namespaced ? 'namespaced' : 'cluster');
  return owned;
}

/** Keys of all that carries the Application's label, of any kind. Kinds that may not be listed hold nothing of ours. */
async function labelled(cluster: Cluster, app: Application, signal: AbortSignal): Promise<string[]> {
  const { applicationNamespace: namespace, applicationName: name, impersonate } = app.assignment;
  const labelSelector = `${APPLICATION_LABEL}=${applicationLabel({ namespace, name })}`;
  const keys: string[] = [];
  await eachOf(await cluster.discovery.removable(), PARALLEL / 2, async (type) => {
    const limited = cluster.namespaces.length > 0;
    if (limited && !type.namespaced) return;
    for (const scope of limited ? cluster.namespaces : ['']) {
      const query = { labelSelector };
      const options = { query, signal, impersonate: impersonate || undefined };
      const list = await cluster.client
        .call<{ items: KubeObject[] }>(pathOf(type, scope || undefined), options)
        .catch((thrown: unknown) => {
          if (thrown instanceof KubeError && !thrown.transient) return { items: [] };
          throw thrown;
        });
      const { group, version, kind } = type;
      for (const { metadata } of list.items) {
        keys.push(keyString({ ...keyOf({ apiVersion: version, kind, metadata }), group, kind }));
      }
    }
  });
  return keys;
}
