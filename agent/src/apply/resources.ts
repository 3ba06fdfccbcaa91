import { type KubeObject, keyOf } from '@muster/kube';
import { kindOf } from '../observe/live-index.ts';
import type { Application, Resource } from './application.ts';
import type { Cluster } from './cluster.ts';
import type { DesiredState } from './desired.ts';
import { foreignText, sharedWith } from './foreign.ts';

/** Takes over what a newly read bundle says; what it no longer names stays until it is seen to be gone. */
export function adopt(app: Application, desired: DesiredState): void {
  app.desired = new Map([...desired.objects.values()].map(({ key, hash }) => [key, hash]));
  for (const { object } of desired.hooks) app.hookKinds.add(groupKindOf(object));
  app.problems = desired.problems;
  for (const { key, object, hash } of desired.objects.values()) {
    const { version } = keyOf(object);
    app.kept.delete(key);
    app.confirmed.delete(key);
    const resource = app.resources.get(key) ?? newResource(key, version);
    app.resources.set(key, resource);
    Object.assign(resource, { version, requiresPruning: false, held: '', judged: '', applyError: '' });
    // Until it has been looked at: what was never applied like this cannot be called Synced.
    if (app.inventory.get(key)?.applied !== hash) resource.sync = 'OutOfSync';
  }
}

/**
 * Brings resources up to date from the index, without a request where hashes say enough. Answers the keys whose
 * state only the API server can judge.
 *
 * @param known kinds (`group/Kind`) of which the index knows all there is.
 */
export function triage(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  keys: Iterable<string>,
  known: ReadonlySet<string>,
): string[] {
  const denied = new Map(desired.problems.map(({ key, message }) => [key, message]));
  const doubtful: string[] = [];
  for (const key of keys) {
    const each = desired.objects.get(key);
    if (!each) {
      if (known.has(kindOf(key))) triageLeft(cluster, app, desired, key);
      continue;
    }
    const resource = app.resources.get(key) ?? newResource(key, keyOf(each.object).version);
    app.resources.set(key, resource);
    const refusal = denied.get(key);
    if (refusal) {
      Object.assign(resource, { sync: 'OutOfSync', applyError: refusal, message: refusal });
      continue;
    }
    const live = cluster.index.get(key);
    const entry = app.inventory.get(key);
    if (live?.owner === app.key) resource.foreign = sharedWith(live);
    if (live) {
      resource.health = live.health;
      resource.healthMessage = desired.mask(live.healthMessage);
    }
    if (!live || live.deleting || (live.owner && live.owner !== app.key)) {
      doubtful.push(key);
    } else if (entry && entry.applied === each.hash && entry.live === live.hash) {
      resource.sync = 'Synced';
      resource.judged = live.hash;
      if (resource.drift?.healedAtMs === 0n) resource.drift = undefined;
    } else if (resource.judged !== live.hash || resource.sync === 'Unknown') {
      doubtful.push(key);
    }
    resource.message = messageOf(resource);
  }
  return doubtful;
}

/** What to show beside a resource: why it could not be applied, else what its health says. */
export function messageOf(resource: Resource): string {
  const { foreign } = resource;
  if (foreign && !foreign.shared) return foreignText(foreign);
  return (resource.sync === 'Synced' ? '' : resource.applyError) || resource.healthMessage;
}

/** An object that the bundle does not name: it waits to be pruned, or is gone. */
function triageLeft(cluster: Cluster, app: Application, desired: DesiredState, key: string): void {
  const live = cluster.index.get(key);
  if (live?.owner !== app.key || live.hook) {
    app.resources.delete(key);
    app.inventory.delete(key);
    app.kept.delete(key);
    app.confirmed.delete(key);
    cluster.claims.release(key, app.key);
    return;
  }
  const resource = app.resources.get(key) ?? newResource(key, live.version);
  app.resources.set(key, resource);
  Object.assign(resource, {
    requiresPruning: true,
    sync: 'OutOfSync',
    health: live.health,
    healthMessage: desired.mask(live.healthMessage),
  });
  const held = live.deleting ? undefined : app.kept.get(key);
  resource.held = held?.reason ?? '';
  if (held) resource.message = `is no longer in the bundle, and kept: ${held.reason}`;
  else resource.message = live.deleting ? 'is being deleted' : 'is no longer in the bundle';
}

const groupKindOf = (object: KubeObject) => `${keyOf(object).group}/${object.kind}`;

function newResource(key: string, version: string): Resource {
  return {
    key,
    version,
    sync: 'Unknown',
    health: '',
    healthMessage: '',
    message: '',
    applyError: '',
    drift: undefined,
    requiresPruning: false,
    held: '',
    foreign: undefined,
    judged: '',
  };
}
