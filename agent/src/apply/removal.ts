import { MusterError } from '@muster/base';
import {
  HOOK_FINALIZER,
  type KubeObject,
  adoptedFromOf,
  deleteDecision,
  foreignOf,
  keyOf,
  keyString,
  letGo,
  trackersOf,
} from '@muster/kube';
import { FIELD_MANAGER } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL, pathOfObject } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import { ownedObjects } from './owned.ts';
import { may, requireVerb } from './power.ts';

/**
 * Takes Muster's marks off everything of the Application and leaves it as it is; what was adopted is given back to its
 * tool. Throws MusterError; may be repeated.
 */
export async function orphan(cluster: Cluster, app: Application, signal: AbortSignal): Promise<void> {
  const owned = await ownedObjects(cluster, app, signal);
  if (owned.length > 0 && !may(cluster.power, 'uninstall')) requireVerb(cluster.power, 'orphan');
  await eachOf(owned, PARALLEL, async ({ object, type }) => {
    const { uid, resourceVersion, finalizers } = object.metadata;
    const body = {
      metadata: {
        uid,
        resourceVersion,
        ...letGo(object, FIELD_MANAGER),
        ...(finalizers?.includes(HOOK_FINALIZER) && {
          finalizers: finalizers.filter((each) => each !== HOOK_FINALIZER),
        }),
      },
    };
    await cluster.client.call(pathOfObject(type, object), {
      method: 'PATCH',
      // The marks that an adopted object gets back are its tool's.
      query: { fieldManager: adoptedFromOf(object)?.manager ?? FIELD_MANAGER },
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

/** What becomes of an object of an Application that is removed. */
export function decisionOn(app: Application, object: KubeObject): ReturnType<typeof deleteDecision> {
  const shared = foreignOf(trackersOf(object));
  if (shared) return { action: 'keep', reason: `${shared.by} tracks it too` };
  const confirmed = app.isConfirmed(keyString(keyOf(object)), object.metadata.uid);
  return deleteDecision(object, { defaultDelete: app.option('Delete'), confirmed });
}
