import { HEALTH_ORDER, type HealthStatus, parseKeyString } from '@muster/kube';
import type { ApplicationStatus, ResourceStatus } from '@muster/proto/records';
import type { Application, Resource } from '../apply/application.ts';

/** The worst health of the resources that have one, with the message of the first that is so; Unknown before the first look. */
export function healthOf(app: Application): { health: string; message: string } {
  if (app.observedAtMs === 0) return { health: 'Unknown', message: 'its objects were not looked at yet' };
  let health: HealthStatus = 'Healthy';
  let message = '';
  for (const resource of app.resources.values()) {
    if (!resource.health || resource.requiresPruning) continue;
    const rank = HEALTH_ORDER.indexOf(resource.health as HealthStatus);
    if (rank <= HEALTH_ORDER.indexOf(health)) continue;
    health = resource.health as HealthStatus;
    message = `${resource.key}: ${resource.health}${resource.message ? ` (${resource.message})` : ''}`;
  }
  return { health, message: health === 'Healthy' ? '' : message };
}

/** Synced only when every resource is, and nothing waits to be pruned. */
export function syncOf(app: Application): 'Synced' | 'OutOfSync' | 'Unknown' {
  if (!app.desired || app.comparisonError) return 'Unknown';
  if (app.problems.length > 0 || !app.comparesAssigned) return 'OutOfSync';
  let sync: 'Synced' | 'OutOfSync' | 'Unknown' = 'Synced';
  for (const resource of app.resources.values()) {
    if (resource.requiresPruning || resource.sync === 'OutOfSync') return 'OutOfSync';
    if (resource.sync === 'Unknown') sync = 'Unknown';
  }
  return sync;
}

type Saying = Omit<ResourceStatus, 'group' | 'kind' | 'namespace' | 'name'>;

interface Told {
  /** All but the resources, as text. */
  head: string;
  resources: Map<string, Saying>;
}

/** Remembers what was told of each Application, so that a status names only what has changed. */
export class StatusDeltas {
  private readonly told = new Map<string, Told>();

  /** The complete status; nothing is remembered of it. */
  complete(app: Application): ApplicationStatus {
    const resources = [...app.resources.values()].map((each) => asStatus(app, each));
    return { ...summary(app), resources, resourcesComplete: true, removedResources: [] };
  }

  /** The status since the last call; undefined when nothing has changed. */
  changes(app: Application): ApplicationStatus | undefined {
    const before = this.told.get(app.key);
    const told: Told = before ?? { head: '', resources: new Map() };
    const resources: ResourceStatus[] = [];
    for (const resource of app.resources.values()) {
      const now = saying(app, resource);
      const last = told.resources.get(resource.key);
      if (last && isSame(last, now)) continue;
      told.resources.set(resource.key, now);
      resources.push(asStatus(app, resource));
    }
    const removedResources: string[] = [];
    if (told.resources.size > app.resources.size)
      for (const key of told.resources.keys()) if (!app.resources.has(key)) removedResources.push(key);
    for (const key of removedResources) told.resources.delete(key);
    const head = summary(app);
    // When something was looked at is no news of its own; the first look after an apply is: rollouts wait for it.
    const isSinceApply = app.observedAtMs >= app.applied.atMs;
    const text = written({ ...head, observedAtMs: isSinceApply ? 1n : 0n });
    const isHeadSame = told.head === text;
    told.head = text;
    this.told.set(app.key, told);
    if (before && isHeadSame && resources.length === 0 && removedResources.length === 0) return undefined;
    return { ...head, resources, resourcesComplete: before === undefined, removedResources };
  }

  /** Makes the next `changes` tell everything. */
  forget(application: string): void {
    this.told.delete(application);
  }
}

function summary(
  app: Application,
): Omit<ApplicationStatus, 'resources' | 'resourcesComplete' | 'removedResources'> {
  const { assignment, applied } = app;
  const { health, message } = healthOf(app);
  const [epoch, generation] = applied.version.split('.');
  return {
    applicationNamespace: assignment.applicationNamespace,
    applicationName: assignment.applicationName,
    version: assignment.version,
    bundleDigest: assignment.bundleDigest,
    sync: syncOf(app),
    health,
    healthMessage: message,
    observedAtMs: BigInt(app.observedAtMs),
    operation: app.operation,
    appliedDigest: applied.digest,
    appliedAtMs: BigInt(applied.atMs),
    appliedVersion:
      epoch && generation ? { epoch: BigInt(epoch), generation: BigInt(generation) } : undefined,
    conditions: [...app.conditions.values()],
  };
}

/** What is told of a resource; what is an object in it is replaced when it changes, never written. */
function saying(app: Application, resource: Resource): Saying {
  const { version, sync, health, message, drift, requiresPruning, foreign } = resource;
  // What asks before it is deleted is held by the removal, not by a comparison.
  const held = app.leaving ? (app.kept.get(resource.key)?.reason ?? '') : resource.held;
  return { version, sync, health, message, drift, requiresPruning, held, foreign };
}

function isSame(last: Saying, now: Saying): boolean {
  return (Object.keys(now) as (keyof Saying)[]).every(
    (name) => last[name] === now[name] || written(last[name]) === written(now[name]),
  );
}

function asStatus(app: Application, resource: Resource): ResourceStatus {
  const key = parseKeyString(resource.key) ?? { group: '', kind: resource.key, namespace: '', name: '' };
  return { ...key, ...saying(app, resource) };
}

function written(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? String(member) : member,
  );
}
