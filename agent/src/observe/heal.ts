import { applyOptionsOf, planSync, keyOf, keyString } from '@muster/kube';
import { takeOver } from '../apply/adoption.ts';
import type { Application, Resource } from '../apply/application.ts';
import { type Cluster, PARALLEL } from '../apply/cluster.ts';
import { eachOf } from '../apply/concurrency.ts';
import type { Desired, DesiredState } from '../apply/desired.ts';
import { isLeftAlone } from '../apply/foreign.ts';
import { forApply } from '../apply/ignored.ts';
import { ensureNamespace, namespaceIsThere } from '../apply/namespace.ts';
import { messageOf } from '../apply/resources.ts';
import { groupsOf } from '../apply/ordering.ts';
import { ownerNow, remember } from '../apply/ownership.ts';
import { may } from '../apply/power.ts';
import { writeObject } from '../apply/write-object.ts';
import { safeMessage } from '../kube/errors.ts';
import type { HealBudget } from './healing.ts';
import { type Writer, liveHash } from './live-object.ts';

/**
 * Puts back what drifted, where the policy says selfHeal and the bundle has been applied before. Answers in how many
 * milliseconds to look again at what is left alone for a while; undefined: nothing is.
 */
export async function heal(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  budget: HealBudget,
  signal: AbortSignal,
  save: () => Promise<void>,
): Promise<number | undefined> {
  if (!app.selfHeal || !wasApplied(app) || !may(cluster.power, 'heal')) return undefined;
  // What forbids all of it, such as an account that may not be used.
  if (desired.problems.some(({ key }) => key === '')) return undefined;
  const now = cluster.now();
  let pausedUntil = 0;
  const targets: Desired[] = [];
  for (const { key, sync, requiresPruning } of app.resources.values()) {
    if (requiresPruning || sync !== 'OutOfSync') continue;
    const each = desired.objects.get(key);
    if (!each) continue;
    if (ownerNow(cluster, app, key) !== app.key) continue;
    if (desired.problems.some((problem) => problem.key === key) || isLeftAlone(app, each)) continue;
    const paused = budget.pausedUntil(key, now);
    if (paused > 0) pausedUntil = pausedUntil === 0 ? paused : Math.min(pausedUntil, paused);
    else targets.push(each);
  }
  if (targets.length > 0) await putBack(cluster, app, desired, targets, budget, signal, save);
  return pausedUntil > 0 ? pausedUntil - now : undefined;
}

async function putBack(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  targets: Desired[],
  budget: HealBudget,
  signal: AbortSignal,
  save: () => Promise<void>,
): Promise<void> {
  if (app.assignment.syncPolicy?.createNamespace && !(await namespaceIsThere(cluster, app, signal))) {
    await ensureNamespace(cluster, app, signal);
  }
  const byKey = new Map(targets.map((each) => [each.key, each]));
  const plan = planSync(
    targets.map(({ object }) => object),
    [],
    { namespace: '', skipHooks: true },
  );
  for (const group of groupsOf(plan)) {
    await eachOf(group, PARALLEL, (task) =>
      putOneBack(cluster, app, byKey.get(keyString(keyOf(task.target!)))!, desired.mask, budget, signal),
    );
  }
  await save();
}

async function putOneBack(
  cluster: Cluster,
  app: Application,
  each: Desired,
  mask: DesiredState['mask'],
  budget: HealBudget,
  signal: AbortSignal,
) {
  const { key, object, type } = each;
  const resource = app.resources.get(key)!;
  budget.healed(key, cluster.now(), writerOf(resource));
  try {
    if (!type) return;
    await takeOver(cluster, app, each, signal);
    const manifest = await forApply(cluster, app, object, type, signal);
    const how = applyOptionsOf(object, (option) => app.option(option));
    const made = await writeObject(cluster, app, type, manifest, { how, signal });
    remember(app, each, made);
    const live = cluster.index.put(made);
    Object.assign(resource, {
      sync: 'Synced',
      // Not what is there by now: somebody may have been quicker, and that was not judged.
      judged: liveHash(made),
      applyError: '',
      foreign: undefined,
      health: live.health,
      healthMessage: mask(live.healthMessage),
    });
    if (resource.drift) resource.drift = { ...resource.drift, healedAtMs: BigInt(cluster.now()) };
    const manager = resource.drift?.manager;
    cluster.log.info(
      { application: app.key, resource: key, manager, deleted: resource.drift?.deleted },
      'drift healed',
    );
  } catch (thrown) {
    signal.throwIfAborted();
    resource.applyError = mask(safeMessage(object.kind, thrown));
    resource.sync = 'OutOfSync';
  }
  resource.message = messageOf(resource);
}

/** Who made it drift; undefined when it was deleted, or nobody's name is there. */
function writerOf({ drift }: Resource): Writer | undefined {
  if (!drift || drift.deleted || !drift.manager) return undefined;
  return { manager: drift.manager, operation: drift.operation, timeMs: Number(drift.timeMs) };
}

/** Before its first complete apply a bundle is synced, not healed. */
function wasApplied(app: Application): boolean {
  const same = app.applied.assignment === app.content;
  return same || app.desiredFor.endsWith(` ${app.applied.digest}`);
}
