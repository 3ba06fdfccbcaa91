import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import { HOOK_FINALIZER, keyOf, keyString, planSync } from '@muster/kube';
import { KubeError, safeMessage } from '../kube/errors.ts';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL, pathOfObject, readLive } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import { releaseHook } from './hooks.ts';
import { groupsOf, propagationOf } from './ordering.ts';
import { type Owned, ownedObjects } from './owned.ts';
import { requireVerb } from './power.ts';
import { decisionOn } from './removal.ts';

/** Most objects are gone at once: only what takes longer is waited for from turn to turn. */
const WATCHED_MS = 2_000;

/**
 * Deletes everything of an Application in the reverse of the order in which it was applied, each by its UID, the next
 * group when the one before is gone. Objects that say so are kept.
 */
export class Deletion {
  private readonly cluster: Cluster;
  private readonly app: Application;
  /** What is not known to be gone; the first group is being deleted. */
  private groups: Owned[][] | undefined;
  private readonly asked = new Set<string>();

  constructor(cluster: Cluster, app: Application) {
    this.cluster = cluster;
    this.app = app;
  }

  /** Goes on as far as it can; answers what is being deleted and still there, empty when all is gone. Throws MusterError. */
  async step(signal: AbortSignal): Promise<Owned[]> {
    this.groups ??= await this.plan(signal);
    for (let group = this.groups[0]; group; group = this.groups[0]) {
      const unasked = group.filter(({ key }) => !this.asked.has(key));
      await eachOf(unasked, PARALLEL, (each) => this.remove(each, signal));
      this.groups[0] = await this.staying(group, signal);
      if (this.groups[0].length > 0) return this.groups[0];
      this.groups.shift();
    }
    return [];
  }

  private async plan(signal: AbortSignal): Promise<Owned[][]> {
    const { cluster, app } = this;
    const owned = new Map((await ownedObjects(cluster, app, signal)).map((each) => [each.key, each]));
    const objects = [...owned.values()].map(({ object }) => object);
    const remove = objects.filter((object) => decisionOn(app, object).action === 'remove');
    const tasks = planSync(remove, [], { namespace: '', skipHooks: true });
    const planned = new Set(tasks.map(({ target }) => keyString(keyOf(target!))));
    // Hooks of an earlier owner and the like are not in the plan: they go first.
    const unplanned = remove.filter((object) => !planned.has(keyString(keyOf(object))));
    const inReverse = groupsOf(tasks).reverse();
    return [unplanned, ...inReverse.map((group) => group.map(({ target }) => target!))]
      .filter((group) => group.length > 0)
      .map((group) => group.map((object) => owned.get(keyString(keyOf(object)))!));
  }

  private async remove({ key, object, type }: Owned, signal: AbortSignal): Promise<void> {
    const { cluster, app } = this;
    requireVerb(cluster.power, 'uninstall');
    const impersonate = app.assignment.impersonate || undefined;
    const propagation = propagationOf(app, object.kind);
    try {
      const { uid } = object.metadata;
      await cluster.client.remove(pathOfObject(type, object), { uid, propagation, impersonate, signal });
    } catch (thrown) {
      signal.throwIfAborted();
      // On a conflict another object has that name by now: it is not ours.
      if (!(thrown instanceof KubeError && thrown.status === 409))
        throw new MusterError('unavailable', `${key}: ${safeMessage(object.kind, thrown)}`, {
          cause: thrown,
        });
    }
    if (object.metadata.finalizers?.includes(HOOK_FINALIZER))
      await releaseHook(cluster, app, type, key, signal);
    this.asked.add(key);
  }

  /** Those of a group that do not go within a moment, as they are by then. */
  private async staying(group: Owned[], signal: AbortSignal): Promise<Owned[]> {
    const { cluster, app } = this;
    const impersonate = app.assignment.impersonate || undefined;
    const until = cluster.now() + WATCHED_MS;
    let left = group;
    for (let pause = 50; ; pause = Math.min(pause * 2, 500)) {
      const now: Owned[] = [];
      await eachOf(left, PARALLEL, async ({ key, object, type }) => {
        const live = await readLive(cluster, type, key, signal, impersonate);
        if (live && live.metadata.uid === object.metadata.uid) now.push({ key, object: live, type });
      });
      left = now;
      if (left.length === 0 || cluster.now() >= until) return left;
      await sleep(pause, undefined, { signal });
    }
  }
}
