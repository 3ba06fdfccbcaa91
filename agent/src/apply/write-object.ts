import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import {
  ANNOTATION,
  type ApplyOptions,
  type KubeObject,
  type ObjectMeta,
  annotationOf,
  isRecreatable,
  keyOf,
  keyString,
  undeclaredFields,
  withoutPaths,
} from '@muster/kube';
import { FIELD_MANAGER } from '../kube/client.ts';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import type { Application } from './application.ts';
import { type Cluster, pathOfObject, readLive } from './cluster.ts';
import { propagationOf } from './ordering.ts';
import { requireVerb } from './power.ts';

export interface WriteOptions {
  how: ApplyOptions;
  /** Only has the API server say what would come of it. */
  dryRun?: boolean;
  signal: AbortSignal;
}

const GONE_WITHIN_MS = 2 * 60_000;
const TRIES = 5;

/**
 * Writes an object as its options say and answers it as it is then. A dry run of what would be made anew answers the
 * object as it is wanted: the API server cannot try that. Throws KubeError, MusterError.
 */
export async function writeObject(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  object: KubeObject,
  options: WriteOptions,
): Promise<KubeObject> {
  const { how, dryRun } = options;
  if (how.replace) return replaceObject(cluster, app, type, object, options);
  try {
    return await applyObject(cluster, app, type, object, options);
  } catch (thrown) {
    if (!how.force || !isRefusedChange(thrown)) throw thrown;
    requireVerb(cluster.power, 'recreate');
    if (!isRecreatable(object)) throw keptFromForce(object, thrown);
    if (dryRun) return object;
    await removeAndWait(cluster, app, type, object, options.signal);
    return applyObject(cluster, app, type, object, options);
  }
}

/** Server-side apply; with `validate` off fields that the type does not have are left out, as other writes do. */
export async function applyObject(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  object: KubeObject,
  { how, dryRun, signal }: WriteOptions,
): Promise<KubeObject> {
  const impersonate = app.assignment.impersonate || undefined;
  let sent = object;
  for (let attempt = 1; ; attempt++) {
    try {
      const path = pathOfObject(type, sent);
      return (await cluster.client.apply(path, sent, { dryRun, impersonate, signal })).object;
    } catch (thrown) {
      const unknown = thrown instanceof KubeError && !how.validate ? undeclaredFields(thrown.message) : [];
      if (unknown.length === 0 || attempt >= TRIES) throw thrown;
      sent = withoutPaths(sent, unknown);
    }
  }
}

/** Puts the whole object in the place of what is there; with `force` deletes that first. */
export async function replaceObject(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  object: KubeObject,
  options: WriteOptions,
): Promise<KubeObject> {
  const { how, dryRun, signal } = options;
  const key = keyString(keyOf(object));
  const impersonate = app.assignment.impersonate || undefined;
  const query = {
    fieldManager: FIELD_MANAGER,
    fieldValidation: how.validate ? 'Strict' : 'Ignore',
    dryRun: dryRun ? 'All' : undefined,
  };
  for (let attempt = 1; ; attempt++) {
    const live = await readLive(cluster, type, key, signal, impersonate);
    const anew = live && how.force && isRecreatable(object);
    if (anew) requireVerb(cluster.power, 'recreate');
    if (anew && dryRun) return object;
    if (anew) await removeAndWait(cluster, app, type, object, signal);
    try {
      if (!live || anew) {
        const path = pathOf(type, object.metadata.namespace);
        return await cluster.client.call(path, { method: 'POST', body: object, query, impersonate, signal });
      }
      const { resourceVersion } = live.metadata;
      const body = {
        ...object,
        metadata: { ...object.metadata, resourceVersion, ...adoption(object, live) },
      };
      const path = pathOfObject(type, object);
      return await cluster.client.call(path, { method: 'PUT', body, query, impersonate, signal });
    } catch (thrown) {
      // Someone wrote, made or deleted it in between.
      const again = thrown instanceof KubeError && (thrown.status === 409 || (live && thrown.notFound));
      if (!again || attempt >= TRIES) throw thrown;
    }
  }
}

/** Of what an object was adopted from nothing is lost when it is replaced as a whole. */
function adoption({ metadata: { annotations } }: KubeObject, live: KubeObject): Partial<ObjectMeta> {
  const from = annotationOf(live, ANNOTATION.adoptedFrom);
  return from === undefined ? {} : { annotations: { ...annotations, [ANNOTATION.adoptedFrom]: from } };
}

/** The API server takes the object, but not as a change of the one that is there. */
function isRefusedChange(thrown: unknown): boolean {
  return thrown instanceof KubeError && thrown.status === 422;
}

function keptFromForce({ kind }: KubeObject, cause: unknown): MusterError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new MusterError(
    'precondition',
    `${message}; Force makes no ${kind} anew: what it holds would be lost`,
    {
      cause,
    },
  );
}

async function removeAndWait(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  object: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const key = keyString(keyOf(object));
  const impersonate = app.assignment.impersonate || undefined;
  const live = await readLive(cluster, type, key, signal, impersonate);
  if (!live) return;
  const { uid } = live.metadata;
  const propagation = propagationOf(app, object.kind);
  await cluster.client.remove(pathOfObject(type, live), { uid, propagation, impersonate, signal });
  const deadline = cluster.now() + GONE_WITHIN_MS;
  for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
    const now = await readLive(cluster, type, key, signal, impersonate);
    if (!now || now.metadata.uid !== uid) return;
    if (cluster.now() > deadline) {
      const held = (now.metadata.finalizers ?? []).join(', ');
      throw new MusterError(
        'unavailable',
        `${key} is to be made anew and waits for ${held || 'the API server'}`,
      );
    }
    await sleep(pause, undefined, { signal });
  }
}
