import { type KubeObject, type SyncTask, describeKey, keyOf, keyString, planSync } from '@muster/kube';
import { kindOf, nameOf } from '../observe/live-index.ts';
import type { Application } from './application.ts';
import type { DesiredState } from './desired.ts';

/** What a plan depends on besides the bundle. */
export interface PlanFacts {
  /** Keys of objects that are not as the bundle has them. */
  changed: ReadonlySet<string>;
  /** Keys of objects of other Applications and tools: left out. */
  leftAlone: ReadonlySet<string>;
  /** What is to be pruned. */
  leaving: KubeObject[];
  /** Whether the sync is of this object. */
  selects(object: KubeObject): boolean;
  startedAtMs: number;
}

/** The plan of a sync. What is as it should be is in it too, for its health counts; not with ApplyOutOfSyncOnly. */
export function planOf(app: Application, desired: DesiredState, facts: PlanFacts): SyncTask[] {
  const { changed, leftAlone, startedAtMs, selects } = facts;
  const leaving = facts.leaving.filter(selects);
  const hooks = desired.hooks.map(({ object }) => object).filter(selects);
  const only = app.option('ApplyOutOfSyncOnly') === 'true';
  const targets: KubeObject[] = [];
  for (const { key, object } of desired.objects.values()) {
    if (!selects(object)) continue;
    if (!leftAlone.has(key) && (!only || changed.has(key))) targets.push(object);
  }
  const known = new Set(leaving.map((object) => kindOf(keyString(keyOf(object)))));
  for (const { type } of [...desired.objects.values(), ...desired.hooks]) if (type) known.add(nameOf(type));
  return planSync([...targets, ...hooks], leaving, {
    namespace: '',
    isKnown: (type) => known.has(nameOf(type)),
    pruneLast: app.option('PruneLast') === 'true',
    skipDryRunOnMissingResource: app.option('SkipDryRunOnMissingResource') === 'true',
    revision: app.assignment.revision,
    startedAt: Math.floor(startedAtMs / 1_000),
  });
}

/** `group/Kind/namespace/name` of what a task applies or prunes. */
export function keyOfTask(task: SyncTask): string {
  return keyString(keyOf((task.target ?? task.live)!));
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `SyncDeadline=90s` among the syncOptions, in milliseconds; undefined where it is not there or not understood. */
export function deadlineOf(app: Application): number | undefined {
  const match = /^(\d+)([smh])$/.exec(app.option('SyncDeadline') ?? '');
  return match ? Number(match[1]) * UNIT_MS[match[2] as 's' | 'm' | 'h'] : undefined;
}

/** Why an object cannot be applied whose kind is not served. */
export function unknownKind(object: KubeObject): string {
  return `the cluster does not know ${object.kind} of ${object.apiVersion} (${describeKey(keyOf(object))})`;
}
