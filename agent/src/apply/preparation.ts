import { MusterError } from '@muster/base';
import {
  type SyncTask,
  keyOf,
  keyString,
  parseKeyString,
  planRemovalHooks,
  taskId,
  unmatchedSelectors,
} from '@muster/kube';
import { KubeError } from '../kube/errors.ts';
import { PARALLEL } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import { onceServed } from './definitions.ts';
import type { Desired } from './desired.ts';
import { type Standing, foreignText, isOwn, lookAt } from './foreign.ts';
import { forApply } from './ignored.ts';
import { ensureNamespace, mustMakeNamespace } from './namespace.ts';
import { ownerNow } from './ownership.ts';
import { planOf, unknownKind } from './plan.ts';
import { may, requireNamespace, requireVerb } from './power.ts';
import { prunable } from './prune.ts';
import type { SyncWork } from './work.ts';
import { writeObject } from './write-object.ts';

/** Refuses what may not be, finds what another Application holds, what needs no work and what is to be pruned. */
export async function prepare(work: SyncWork): Promise<void> {
  const { cluster, app, desired, request } = work;
  for (const { key, message } of desired.problems) work.fail(key, new MusterError('forbidden', message));
  if (work.failed) return;
  await work.watchKinds();
  if (request.removal) return planHooks(work, request.removal);
  work.makesNamespace = await mustMakeNamespace(cluster, app, desired, request.signal);
  if (work.makesNamespace) requireNamespace(cluster.power, app.assignment.destinationNamespace);
  for (const each of desired.objects.values()) {
    if (!work.selects(each.object)) continue;
    const owner = ownerNow(cluster, app, each.key);
    if (owner !== app.key) work.conflicts.set(each.key, owner);
    else if (!unchanged(work, each) || isMadeAnew(work, each)) work.changed.add(each.key);
  }
  await lookForForeign(work);
  if (app.option('FailOnSharedResource') === 'true') {
    for (const [key, owner] of work.conflicts)
      work.fail(key, new MusterError('conflict', `belongs to Application ${owner}`));
  }
  if (work.failed) return;
  const unmatched = unmatchedOf(work);
  if (unmatched) return work.fail('', unmatched);
  if (request.operation.prune) {
    work.leaving = await prunable(cluster, app, desired, work.selects, request.signal);
    if (!request.dryRun) noteHeld(work);
  }
  work.plan(
    planOf(app, desired, {
      changed: work.changed,
      leftAlone: new Set([...work.conflicts.keys(), ...work.foreign.keys()]),
      leaving: work.leaving.live,
      selects: work.selects,
      startedAtMs: request.operation.startedAtMs,
    }),
  );
  forgetUnmade(work);
  request.signal.throwIfAborted();
}

/**
 * Finds what stands under the names of objects that the Application has not applied yet. What another tool tracks and the
 * Application does not adopt fails the sync before anything is touched, unless it says FailOnForeignResource=false.
 */
async function lookForForeign(work: SyncWork): Promise<void> {
  const { cluster, app, desired, request } = work;
  const objects = [...desired.objects.values()].filter(({ key, object }) => {
    return work.selects(object) && !work.conflicts.has(key) && !isOwn(cluster, app, key);
  });
  const hooks = desired.hooks.filter(({ object }) => {
    return work.selects(object) && !isOwn(cluster, app, keyString(keyOf(object)));
  });
  await eachOf([...objects, ...hooks], PARALLEL, async (each) => {
    const key = keyString(keyOf(each.object));
    try {
      noteStanding(work, key, await lookAt(cluster, app, each, request.signal));
    } catch (thrown) {
      request.signal.throwIfAborted();
      work.fail(key, thrown);
    }
  });
}

function noteStanding(work: SyncWork, key: string, standing: Standing | undefined): void {
  const { app, desired } = work;
  const foreign = standing?.foreign;
  const resource = app.resources.get(key);
  if (resource) resource.foreign = foreign;
  if (standing && (!foreign || foreign.adopting)) work.standing.set(key, standing);
  if (!foreign || foreign.adopting) return;
  work.foreign.set(key, foreign);
  work.changed.delete(key);
  const alone = app.option('FailOnForeignResource') === 'false' && desired.objects.has(key);
  if (!alone) work.fail(key, new MusterError('conflict', foreignText(foreign)));
}

/** A removal runs only the hooks of one of its sides. */
function planHooks(work: SyncWork, phase: 'PreDelete' | 'PostDelete'): void {
  const { app, desired, request } = work;
  const hooks = desired.hooks.map(({ object }) => object);
  work.plan(
    planRemovalHooks(hooks, phase, {
      namespace: '',
      revision: app.assignment.revision,
      startedAt: Math.floor(request.operation.startedAtMs / 1_000),
    }),
  );
  forgetUnmade(work);
}

/** Tries all that would be written on the API server, so that an error is found before anything is touched. */
export async function tryOut(work: SyncWork): Promise<void> {
  const { cluster, app, request } = work;
  for (const { unknownType, action, target } of work.tasks) {
    if (!unknownType || action === 'prune') continue;
    work.fail(keyString(keyOf(target!)), new MusterError('not-found', unknownKind(target!)));
  }
  if (work.failed) {
    work.transient = false;
    return;
  }
  const coming = comingNamespaces(work);
  const tried = work.tasks.filter((task) => isTried(work, task));
  await eachOf(tried, PARALLEL, async (task) => {
    const { key, object, type } = work.wanted(task)!;
    try {
      const manifest = await forApply(cluster, app, object, type!, request.signal);
      const how = work.how(object, task.hook);
      await onceServed(cluster, object, request.signal, () =>
        writeObject(cluster, app, type!, manifest, { how, dryRun: true, signal: request.signal }),
      );
    } catch (thrown) {
      request.signal.throwIfAborted();
      // The namespace is made by this very sync, so the API server cannot try.
      const comes = coming.has(object.metadata.namespace ?? '');
      if (thrown instanceof KubeError && thrown.notFound && comes) return;
      work.fail(key, thrown);
    }
  });
}

/** Names what will be made, so that it is found again should the agent die in the middle; makes the namespace. */
export async function begin(work: SyncWork): Promise<void> {
  const { app, desired, changed, request } = work;
  requireVerb(work.cluster.power, 'apply');
  let added = false;
  for (const key of changed) {
    if (app.inventory.has(key)) continue;
    const { version } = keyOf(desired.objects.get(key)!.object);
    app.inventory.set(key, { key, version, uid: '', applied: '', live: '' });
    added = true;
  }
  if (added) await request.save();
  if (work.makesNamespace) await ensureNamespace(work.cluster, app, request.signal);
}

function unchanged({ app, cluster }: SyncWork, { key, hash }: Desired): boolean {
  // What will not be applied is as it should be when it compares as such.
  if (!may(cluster.power, 'apply')) return app.resources.get(key)?.sync === 'Synced';
  const entry = app.inventory.get(key);
  const live = cluster.index.get(key);
  return live !== undefined && !live.deleting && entry?.applied === hash && entry.live === live.hash;
}

/** Keeps what the guards hold back for people to see and confirm; what they no longer hold is forgotten. */
function noteHeld({ app, cluster, leaving }: SyncWork): void {
  for (const { metadata, ...object } of leaving.live)
    app.kept.delete(keyString(keyOf({ metadata, ...object })));
  for (const [key, { uid, reason }] of leaving.held) app.keep(key, uid, reason, cluster.now());
}

/** Selectors of the command that name nothing of the Application are an error, not an empty sync. */
function unmatchedOf({ app, desired, selectors }: SyncWork): MusterError | undefined {
  if (selectors.length === 0) return undefined;
  const keys = [...desired.objects.keys(), ...app.resources.keys()].flatMap(
    (key) => parseKeyString(key) ?? [],
  );
  const unmatched = unmatchedSelectors(selectors, keys);
  if (unmatched.length === 0) return undefined;
  return new MusterError('not-found', `no resource of the Application is ${unmatched.join(', ')}`);
}

/** Replace and Force together make an object anew at each sync, for example a Job that is to run again. */
function isMadeAnew(work: SyncWork, { object }: Desired): boolean {
  const { replace, force } = work.how(object, false);
  return replace && force && work.app.option('ApplyOutOfSyncOnly') !== 'true';
}

/** A hook that was written down as begun and is not there was never made: its finalizer would have kept it. */
function forgetUnmade(work: SyncWork): void {
  for (const task of work.tasks) {
    const id = taskId(task);
    if (work.phaseOf(task) !== 'Running' || work.live(task)) continue;
    work.progress.delete(id);
    delete work.request.operation.hooks[id];
  }
}

/** Namespaces that this sync makes. */
function comingNamespaces({ app, desired, makesNamespace }: SyncWork): Set<string> {
  const coming = new Set<string>(makesNamespace ? [app.assignment.destinationNamespace] : []);
  for (const { object } of desired.objects.values()) {
    if (object.kind === 'Namespace' && keyOf(object).group === '') coming.add(object.metadata.name ?? '');
  }
  return coming;
}

/** A hook that takes another's place cannot be tried: most of its fields may not be changed. */
function isTried(work: SyncWork, task: SyncTask): boolean {
  if (task.action === 'prune' || task.skipDryRun) return false;
  const each = work.wanted(task);
  if (!each?.type) return false;
  return task.hook ? work.live(task) === undefined : work.changed.has(each.key);
}
