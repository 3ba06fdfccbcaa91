import { MusterError } from '@muster/base';
import { type RunDecision, type SyncTask, definedType, groupKindString, keyOf, taskId } from '@muster/kube';
import { takeOver } from './adoption.ts';
import { PARALLEL } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import { onceServed, servedByNow, waitForDefinitions } from './definitions.ts';
import type { Desired } from './desired.ts';
import { makeWay, removeHook } from './hooks.ts';
import { forApply } from './ignored.ts';
import { groupsOf } from './ordering.ts';
import { remember } from './ownership.ts';
import { keyOfTask, unknownKind } from './plan.ts';
import { pruneOne } from './prune.ts';
import type { SyncWork } from './work.ts';
import { writeObject } from './write-object.ts';

/** Carries out one wave; what came of each task is in the progress. Answers whether anything was written. */
export async function carryOut(work: SyncWork, run: RunDecision): Promise<boolean> {
  const { cluster, app, request } = work;
  let touched = run.prune.length > 0;
  await eachOf(run.prune, PARALLEL, async (task) => {
    await attempt(work, task, () => pruneOne(cluster, app, task, work.leaving.types, request.signal));
    if (work.phaseOf(task) === 'Running') work.pruned++;
  });
  if (run.prune.some((task) => work.phaseOf(task) === 'Failed')) return touched;
  await removeHooks(work, run.remove);
  const hooks = run.apply.filter(({ hook }) => hook);
  if (hooks.length > 0) {
    work.settled = true;
    for (const task of hooks) work.note(taskId(task), { phase: 'Running', message: '' });
    // Written down before it is made: an operation that goes on elsewhere knows of it.
    await request.save();
  }
  for (const group of groupsOf(run.apply)) {
    await learnKinds(work, group);
    await eachOf(group, PARALLEL, async (task) => {
      request.signal.throwIfAborted();
      const each = work.wanted(task)!;
      const needed = task.hook || work.changed.has(each.key);
      touched ||= needed && !task.hook;
      await attempt(work, task, async () => {
        if (needed) await applyOne(work, each, task.hook);
      });
    });
    await waitUntilServed(work, group);
  }
  return touched;
}

/** Deletes the objects of hooks. Throws KubeError. */
export async function removeHooks(work: SyncWork, tasks: readonly SyncTask[]): Promise<void> {
  const { cluster, app, request } = work;
  await eachOf(tasks, PARALLEL, (task) =>
    removeHook(cluster, app, work.wanted(task)!.type!, keyOfTask(task), request.signal),
  );
}

async function attempt(work: SyncWork, task: SyncTask, act: () => Promise<void>): Promise<void> {
  try {
    await act();
    work.note(taskId(task), { phase: 'Running', message: '' });
  } catch (thrown) {
    work.request.signal.throwIfAborted();
    const key = keyOfTask(task);
    work.fail(key, thrown);
    work.note(taskId(task), { phase: 'Failed', message: work.errors.get(key)!, refused: true });
  }
}

async function applyOne(work: SyncWork, each: Desired, hook: boolean): Promise<void> {
  const { cluster, app, request } = work;
  const { type, object } = each;
  if (!type) throw new MusterError('not-found', unknownKind(object));
  if (hook) await makeWay(cluster, app, type, object, request.signal);
  // What stands there was looked at before the dry run.
  const standing = work.standing.get(each.key);
  if (!hook && standing) await takeOver(cluster, app, each, request.signal, standing);
  const manifest = hook ? object : await forApply(cluster, app, object, type, request.signal);
  const how = work.how(object, hook);
  const made = await onceServed(cluster, object, request.signal, () =>
    writeObject(cluster, app, type, manifest, { how, signal: request.signal }),
  );
  if (!hook) remember(app, each, made);
  const resource = app.resources.get(each.key);
  if (resource) resource.foreign = undefined;
  cluster.index.put(made);
}

/** Learns kinds that were not served when the bundle was read: this sync, or a controller meanwhile, brought them. */
async function learnKinds(work: SyncWork, group: readonly SyncTask[]): Promise<void> {
  const { cluster, desired, request } = work;
  const missing = group.flatMap((task) => (work.wanted(task)?.type ? [] : [task.target!]));
  if (missing.length === 0 || !(await servedByNow(cluster, missing, request.signal))) return;
  for (const each of [...desired.objects.values(), ...desired.hooks]) {
    each.type ??= await cluster.discovery.resolve(each.object.apiVersion, each.object.kind);
  }
  await work.watchKinds();
}

/** After CustomResourceDefinitions, hooks among them: waits until what they define is served. */
async function waitUntilServed(work: SyncWork, group: readonly SyncTask[]): Promise<void> {
  const { cluster, desired, request } = work;
  const unserved = new Set(desired.unserved.map((each) => groupKindString(keyOf({ ...each, metadata: {} }))));
  const definitions = group.flatMap((task) => {
    const { object, key } = work.wanted(task)!;
    const type = definedType(object);
    if (!type || work.phaseOf(task) !== 'Running') return [];
    const matters = task.hook || work.changed.has(key) || unserved.has(groupKindString(type));
    return matters ? [object] : [];
  });
  if (definitions.length > 0) await waitForDefinitions(cluster, definitions, request.signal);
}
