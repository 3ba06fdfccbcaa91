import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import {
  ANNOTATION,
  type ApplicationRef,
  HOOK_FINALIZER,
  type KubeObject,
  annotationOf,
  hooksOf,
  keyOf,
  keyString,
  ownerOf,
  parseKeyString,
  withTracking,
} from '@muster/kube';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError } from '../kube/errors.ts';
import type { OperationRecord } from '../state/records.ts';
import type { Application } from './application.ts';
import { type Cluster, pathOfObject, readLive } from './cluster.ts';
import { foreignText, foreignTo } from './foreign.ts';

const GONE_WITHIN_MS = 60_000;

/** Ended together with their operation; other kinds have no end of their own. */
const RUNS = new Set(['/Pod', 'batch/Job', 'argoproj.io/Workflow']);

/** A hook as it is sent: with Muster's marks and the operation that makes it. */
export function hookManifest(hook: KubeObject, application: ApplicationRef, operation: string): KubeObject {
  const { metadata, ...marked } = withTracking(hook, application);
  const { generateName: _made, ...named } = metadata;
  const annotations = { ...named.annotations, [ANNOTATION.operation]: operation };
  return { ...marked, metadata: { ...named, annotations } } as KubeObject;
}

/** Takes the finalizer off a hook that has ended, so that it may go. */
export async function releaseHook(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const impersonate = app.assignment.impersonate || undefined;
  for (let attempt = 1; ; attempt++) {
    const live = await readLive(cluster, type, key, signal, impersonate);
    const finalizers = live?.metadata.finalizers ?? [];
    if (!live || !finalizers.includes(HOOK_FINALIZER)) return;
    const { uid, resourceVersion } = live.metadata;
    const left = finalizers.filter((each) => each !== HOOK_FINALIZER);
    try {
      await cluster.client.call(pathOfObject(type, live), {
        method: 'PATCH',
        body: { metadata: { uid, resourceVersion, finalizers: left } },
        contentType: 'application/merge-patch+json',
        impersonate,
        signal,
      });
      return;
    } catch (thrown) {
      if (thrown instanceof KubeError && thrown.notFound) return;
      // Someone wrote in between, most often the controller of the hook's kind.
      if (!(thrown instanceof KubeError) || thrown.status !== 409 || attempt >= 5) throw thrown;
    }
  }
}

/** Deletes a hook's object, whoever made it: what carries no hook annotation is not taken for one. */
export async function removeHook(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const impersonate = app.assignment.impersonate || undefined;
  const live = await readLive(cluster, type, key, signal, impersonate);
  if (!live) return;
  mayReplace(app, key, live);
  await cluster.client.remove(pathOfObject(type, live), {
    uid: live.metadata.uid,
    propagation: 'Background',
    impersonate,
    signal,
  });
  await releaseHook(cluster, app, type, key, signal);
}

/** What others left under a hook's name goes, as BeforeHookCreation says. Throws where it is not theirs to go. */
export async function makeWay(
  cluster: Cluster,
  app: Application,
  type: ApiType,
  hook: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const key = keyString(keyOf(hook));
  const operation = annotationOf(hook, ANNOTATION.operation);
  const deadline = cluster.now() + GONE_WITHIN_MS;
  for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
    const live = await readLive(cluster, type, key, signal, app.assignment.impersonate || undefined);
    if (!live || annotationOf(live, ANNOTATION.operation) === operation) return;
    if (!hooksOf(hook)!.deletePolicies.includes('BeforeHookCreation')) return mayReplace(app, key, live);
    if (cluster.now() > deadline) throw new MusterError('unavailable', `${key} is there and does not go`);
    await removeHook(cluster, app, type, key, signal);
    await sleep(pause, undefined, { signal });
  }
}

function mayReplace(app: Application, key: string, live: KubeObject): void {
  const owner = ownerOf(live);
  const foreign = owner && `${owner.namespace}/${owner.name}` !== app.key;
  if (foreign || (!owner && !hooksOf(live))) {
    throw new MusterError('conflict', `${key} is there already and is no hook of this Application`);
  }
  const tracked = owner ? undefined : foreignTo(app, live).foreign;
  if (tracked && !tracked.adopting) throw new MusterError('conflict', `${key}: ${foreignText(tracked)}`);
}

/** Lets go of the hooks of an operation that will not go on; what runs of it is deleted. */
export async function abandonHooks(
  cluster: Cluster,
  app: Application,
  operation: OperationRecord,
  signal: AbortSignal,
): Promise<void> {
  for (const [id, { phase }] of Object.entries(operation.hooks)) {
    if (phase !== 'Running') continue;
    const key = id.slice(id.indexOf(' ') + 1);
    const { group, kind } = parseKeyString(key) ?? { group: '', kind: '' };
    const type = await cluster.discovery.resolveKind(group, kind);
    if (!type) continue;
    const live = await readLive(cluster, type, key, signal, app.assignment.impersonate || undefined);
    if (!live || annotationOf(live, ANNOTATION.operation) !== operation.id) continue;
    if (RUNS.has(`${group}/${kind}`)) await removeHook(cluster, app, type, key, signal);
    else await releaseHook(cluster, app, type, keyString(keyOf(live)), signal);
  }
}
