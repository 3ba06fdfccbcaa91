import { resourceKey } from '@muster/link';
import type { ApplicationStatus, Drift, Foreign, Operation, ResourceStatus } from '@muster/proto';

/** What an agent may make the hub keep. The agent redacts; here is only counted and cut. */
const MAX = {
  word: 64,
  name: 317,
  message: 4096,
  conditions: 50,
  resources: 10_000,
  fields: 100,
  value: 1024,
  path: 1024,
  waits: 20,
  hooks: 50,
};
const SYNC = new Set(['Synced', 'OutOfSync', 'Unknown']);
const DRIFT_CLASSES = new Set(['person', 'controller', 'pending', 'deleted']);
const HEALTH = new Set(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']);

/** A resource as stored and shown, by its key in `target_status.resources`. */
export interface StoredResource {
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  sync: string;
  health?: string;
  message?: string;
  requiresPruning?: true;
  /** Why it is kept until someone confirms. */
  held?: string;
  /** Another tool tracks it. */
  foreign?: StoredForeign;
  drift?: StoredDrift;
}

export interface StoredForeign {
  /** 'argocd', 'flux' or 'helm'; 'any': several of them. */
  tool: string;
  /** In words. */
  by: string;
  /** Its next sync takes it over. */
  adopting?: true;
  /** It is Muster's all the same. */
  shared?: true;
}

export interface StoredDrift {
  fields: { path: string; expected: string; actual: string }[];
  /** 'person', 'controller', 'pending' or 'deleted'; absent from older agents. */
  class?: string;
  manager?: string;
  /** The manager's operation: 'Apply' or 'Update'. */
  operation?: string;
  /** Unix milliseconds. */
  timeMs?: number;
  deleted?: true;
  detectedAtMs?: number;
  healedAtMs?: number;
}

export interface StoredCondition {
  type: string;
  message: string;
  since: string;
}

export interface StoredOperation {
  phase: string;
  message: string;
  startedAt?: string;
  finishedAt?: string;
  commandId?: string;
  retries?: number;
  /** PreSync, Sync, PostSync, SyncFail, PreDelete, Delete or PostDelete. */
  step?: string;
  wave?: number;
  /** When it fails at the latest. */
  deadline?: string;
  /** The first of what it waits for, and how many there are. */
  waitsFor?: StoredWait[];
  waitsForTotal?: number;
  hooks?: StoredHook[];
  nextTry?: { attempt: number; limit?: number; at?: string };
}

interface StoredName {
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

export interface StoredWait extends StoredName {
  health?: string;
  message?: string;
}

export interface StoredHook extends StoredName {
  step: string;
  status: string;
  message?: string;
}

/** One status, cut to bounds, in the shape of a row. */
export interface BoundedStatus {
  namespace: string;
  name: string;
  epoch: bigint;
  generation: bigint;
  bundleDigest: string;
  sync: string;
  health: string;
  healthMessage: string;
  observedAt: Date;
  operation: StoredOperation | null;
  appliedDigest: string | null;
  appliedAt: Date | null;
  appliedEpoch: bigint | null;
  appliedGeneration: bigint | null;
  conditions: StoredCondition[];
  resources: Record<string, StoredResource>;
  /** False: `resources` is merged into what is stored, after `removed` went. */
  complete: boolean;
  removed: string[];
}

/** Cuts a status to bounds; words that are not Argo CD's become Unknown. Times in the future become now. */
export function boundStatus(status: ApplicationStatus, now: Date): BoundedStatus {
  const applied = status.appliedVersion;
  return {
    namespace: text(status.applicationNamespace, MAX.name),
    name: text(status.applicationName, MAX.name),
    epoch: status.version?.epoch ?? 0n,
    generation: status.version?.generation ?? 0n,
    bundleDigest: digest(status.bundleDigest) ?? '',
    sync: SYNC.has(status.sync) ? status.sync : 'Unknown',
    health: HEALTH.has(status.health) ? status.health : 'Unknown',
    healthMessage: text(status.healthMessage, MAX.message),
    observedAt: moment(status.observedAtMs, now) ?? now,
    operation: boundOperation(status.operation, now),
    appliedDigest: digest(status.appliedDigest),
    appliedAt: moment(status.appliedAtMs, now) ?? null,
    appliedEpoch: applied?.epoch ?? null,
    appliedGeneration: applied?.generation ?? null,
    conditions: status.conditions.slice(0, MAX.conditions).map((each) => ({
      type: text(each.type, MAX.word),
      message: text(each.message, MAX.message),
      since: (moment(each.sinceMs, now) ?? now).toISOString(),
    })),
    resources: Object.fromEntries(
      status.resources
        .slice(0, MAX.resources)
        .map((each) => [text(resourceKey(each), MAX.name * 4), boundResource(each)]),
    ),
    complete: status.resourcesComplete,
    removed: status.removedResources.slice(0, MAX.resources).map((key) => text(key, MAX.name * 4)),
  };
}

function boundOperation(operation: ApplicationStatus['operation'], now: Date): StoredOperation | null {
  if (!operation) return null;
  const startedAt = moment(operation.startedAtMs, now);
  const finishedAt = moment(operation.finishedAtMs, now);
  return {
    phase: text(operation.phase, MAX.word),
    message: text(operation.message, MAX.message),
    ...(startedAt ? { startedAt: startedAt.toISOString() } : {}),
    ...(finishedAt ? { finishedAt: finishedAt.toISOString() } : {}),
    ...(operation.commandId ? { commandId: text(operation.commandId, MAX.word) } : {}),
    ...(operation.retries ? { retries: operation.retries } : {}),
    ...boundProgress(operation),
  };
}

function boundProgress(operation: Operation): Partial<StoredOperation> {
  const { step, wave, deadlineMs, waitsFor, waitsForTotal, hooks, nextTry } = operation;
  const deadline = future(deadlineMs);
  return {
    ...(step ? { step: text(step, MAX.word), wave } : {}),
    ...(deadline ? { deadline } : {}),
    ...(waitsFor.length > 0
      ? {
          waitsFor: waitsFor.slice(0, MAX.waits).map((each) => ({
            ...boundName(each),
            ...(each.health ? { health: HEALTH.has(each.health) ? each.health : 'Unknown' } : {}),
            ...(each.message ? { message: text(each.message, MAX.value) } : {}),
          })),
          waitsForTotal: Math.max(waitsForTotal, waitsFor.length),
        }
      : {}),
    ...(hooks.length > 0
      ? {
          hooks: hooks.slice(0, MAX.hooks).map((each) => ({
            ...boundName(each),
            step: text(each.step, MAX.word),
            status: text(each.status, MAX.word),
            ...(each.message ? { message: text(each.message, MAX.value) } : {}),
          })),
        }
      : {}),
    ...(nextTry
      ? {
          nextTry: {
            attempt: nextTry.attempt,
            ...(nextTry.limit >= 0 ? { limit: nextTry.limit } : {}),
            ...(future(nextTry.atMs) ? { at: future(nextTry.atMs)! } : {}),
          },
        }
      : {}),
  };
}

function boundName({ group, kind, namespace, name }: StoredName): StoredName {
  return {
    group: text(group, MAX.name),
    kind: text(kind, MAX.name),
    namespace: text(namespace, MAX.name),
    name: text(name, MAX.name),
  };
}

function boundResource(resource: ResourceStatus): StoredResource {
  return {
    group: text(resource.group, MAX.name),
    version: text(resource.version, MAX.word),
    kind: text(resource.kind, MAX.name),
    namespace: text(resource.namespace, MAX.name),
    name: text(resource.name, MAX.name),
    sync: SYNC.has(resource.sync) ? resource.sync : 'Unknown',
    ...(resource.health ? { health: HEALTH.has(resource.health) ? resource.health : 'Unknown' } : {}),
    ...(resource.message ? { message: text(resource.message, MAX.message) } : {}),
    ...(resource.requiresPruning ? { requiresPruning: true as const } : {}),
    ...(resource.held ? { held: text(resource.held, MAX.message) } : {}),
    ...(resource.foreign ? { foreign: boundForeign(resource.foreign) } : {}),
    ...(resource.drift ? { drift: boundDrift(resource.drift) } : {}),
  };
}

function boundForeign({ tool, by, adopting, shared }: Foreign): StoredForeign {
  return {
    tool: text(tool, MAX.word),
    by: text(by, MAX.name),
    ...(adopting ? { adopting: true as const } : {}),
    ...(shared ? { shared: true as const } : {}),
  };
}

function boundDrift(drift: Drift): StoredDrift {
  return {
    fields: drift.fields.slice(0, MAX.fields).map((field) => ({
      path: text(field.path, MAX.path),
      expected: text(field.expected, MAX.value),
      actual: text(field.actual, MAX.value),
    })),
    ...(DRIFT_CLASSES.has(drift.driftClass) ? { class: drift.driftClass } : {}),
    ...(drift.manager ? { manager: text(drift.manager, MAX.name) } : {}),
    ...(drift.operation ? { operation: text(drift.operation, MAX.word) } : {}),
    ...(drift.timeMs ? { timeMs: Number(drift.timeMs) } : {}),
    ...(drift.deleted ? { deleted: true as const } : {}),
    ...(drift.detectedAtMs ? { detectedAtMs: Number(drift.detectedAtMs) } : {}),
    ...(drift.healedAtMs ? { healedAtMs: Number(drift.healedAtMs) } : {}),
  };
}

/** PostgreSQL keeps no NUL, in text nor in jsonb. */
function text(value: string, length: number): string {
  const cut = value.length > length ? `${value.slice(0, length - 1)}…` : value;
  return cut.includes('\0') ? cut.replaceAll('\0', '') : cut;
}

function digest(value: string): string | null {
  return /^[0-9a-f]{64}$/.test(value) ? value : null;
}

/** RFC 3339 of a time that may lie ahead; undefined: none, or none that a calendar has. */
function future(ms: bigint): string | undefined {
  return ms > 0n && ms < 8_640_000_000_000_000n ? new Date(Number(ms)).toISOString() : undefined;
}

function moment(ms: bigint, now: Date): Date | undefined {
  if (ms <= 0n) return undefined;
  return ms > BigInt(now.getTime()) ? now : new Date(Number(ms));
}
