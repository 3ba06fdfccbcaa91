import { HEALTH_ORDER, type HealthStatus, parseKeyString } from '@muster/kube';
import type { ApplicationStatus, ResourceStatus } from '@muster/proto/records';
import type { Application, Resource } from '../apply/application.ts';

/** The worst health of the resources that have one, with the message of the first that is so. */
export function healthOf(app: Application): { health: string; message: string } {
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

/** Remembers what was told of each Application, so that a status names only what has changed. */
export class StatusDeltas {
  private readonly told = new Map<string, Map<string, string>>();

  /** The complete status; nothing is remembered of it. */
  complete(app: Application): ApplicationStatus {
    const resources = [...app.resources.values()].map((each) => asStatus(app, each));
    return { ...summary(app), resources, resourcesComplete: true, removedResources: [] };
  }

  /** The status since the last call; undefined when nothing has changed. */
  changes(app: Application): ApplicationStatus | undefined {
    const before = this.told.get(app.key);
    const now = new Map<string, string>();
    const resources: ResourceStatus[] = [];
    for (const resource of app.resources.values()) {
      const status = asStatus(app, resource);
      const text = written(status);
      now.set(resource.key, text);
      if (before?.get(resource.key) !== text) resources.push(status);
    }
    const removedResources = [...(before?.keys() ?? [])].filter((key) => key && !now.has(key));
    const head = summary(app);
    const text = written({ ...head, observedAtMs: 0n });
    now.set('', text);
    this.told.set(app.key, now);
    if (before && before.get('') === text && resources.length === 0 && removedResources.length === 0)
      return undefined;
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

function asStatus(app: Application, resource: Resource): ResourceStatus {
  const key = parseKeyString(resource.key) ?? { group: '', kind: resource.key, namespace: '', name: '' };
  const { version, sync, health, message, drift, requiresPruning, foreign } = resource;
  // What asks before it is deleted is held by the removal, not by a comparison.
  const held = app.leaving ? (app.kept.get(resource.key)?.reason ?? '') : resource.held;
  return { ...key, version, sync, health, message, drift, requiresPruning, held, foreign };
}

function written(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? String(member) : member,
  );
}
