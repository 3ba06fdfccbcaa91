import { ANNOTATION, HOOK_FINALIZER } from '../annotations.ts';
import { definedType } from '../manifest.ts';
import {
  annotationList,
  type GroupKind,
  groupKindString,
  keyOf,
  keyString,
  type KubeObject,
  parseApiVersion,
} from '../object.ts';
import { hooksOf, isSkipped, waveOf } from './hooks.ts';

/**
 * The phases of one sync, in order; SyncFail hooks run only after a failure. PreDelete and PostDelete are those of a
 * removal, each by itself.
 */
export type SyncPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail' | 'PreDelete' | 'PostDelete';

/** One step of a plan: an object to apply or to prune. */
export interface SyncTask {
  phase: SyncPhase;
  wave: number;
  action: 'apply' | 'prune';
  hook: boolean;
  /** What to apply, with its namespace and, for hooks, its name and finalizer; absent for a prune. */
  target?: KubeObject;
  live?: KubeObject;
  /** The type does not exist yet and comes with this sync (or the option says so): no dry run is possible. */
  skipDryRun: boolean;
  /** The type does not exist and nothing here brings it: the sync cannot succeed. */
  unknownType: boolean;
}

/** What a plan depends on besides the objects. */
export interface SyncPlanOptions {
  /** The destination namespace; targets without one get it, cluster-scoped ones too (the API server drops it). */
  namespace: string;
  /** Whether the cluster serves a type; default: everything. */
  isKnown?: (type: GroupKind) => boolean;
  /** CreateNamespace=true and the destination namespace does not exist. */
  createNamespace?: boolean;
  pruneLast?: boolean;
  skipHooks?: boolean;
  skipDryRunOnMissingResource?: boolean;
  /** For the names of hooks with generateName: the first 7 characters are used. */
  revision?: string;
  /** For the names of hooks with generateName, in Unix seconds. */
  startedAt?: number;
}

const PHASE_ORDER: Record<SyncPhase, number> = {
  PreSync: 0,
  Sync: 1,
  PostSync: 2,
  SyncFail: 3,
  PreDelete: 4,
  PostDelete: 5,
};

/** Kinds that others depend on come first; the group does not matter; kinds not named here come last, by name. */
const KIND_ORDER = new Map(
  [
    ['Namespace', 'NetworkPolicy', 'ResourceQuota', 'LimitRange', 'PodSecurityPolicy', 'PodDisruptionBudget'],
    ['ServiceAccount', 'Secret', 'SecretList', 'ConfigMap', 'StorageClass', 'PersistentVolume'],
    [
      'PersistentVolumeClaim',
      'CustomResourceDefinition',
      'ClusterRole',
      'ClusterRoleList',
      'ClusterRoleBinding',
    ],
    [
      'ClusterRoleBindingList',
      'Role',
      'RoleList',
      'RoleBinding',
      'RoleBindingList',
      'Service',
      'DaemonSet',
      'Pod',
    ],
    [
      'ReplicationController',
      'ReplicaSet',
      'Deployment',
      'HorizontalPodAutoscaler',
      'StatefulSet',
      'Job',
      'CronJob',
    ],
    ['IngressClass', 'Ingress', 'APIService'],
  ]
    .flat()
    .map((kind, index) => [kind, index] as const),
);

/**
 * The ordered plan of a sync: phases, waves, kinds, names; Namespaces and CRDs before their first users. Pure: the
 * same objects in any order give the same plan. Whether a prune may really happen is `pruneDecision`'s to say.
 */
export function planSync(all: KubeObject[], live: KubeObject[], options: SyncPlanOptions): SyncTask[] {
  const targets = all.filter((target) => !isOutsideSync(target));
  const unmatched = new Map(live.map((object) => [keyIn(object, ''), object]));
  const tasks: SyncTask[] = [];
  // Sorted, since two targets may fit one live object without a namespace: the first by key takes it.
  const ordinary = targets.filter((object) => !hooksOf(object));
  ordinary.sort((a, b) => compareText(keyString(keyOf(a)), keyString(keyOf(b))));
  for (const target of ordinary) {
    const match = takeLive(unmatched, target, options.namespace);
    if (!isSkipped(target))
      tasks.push(applyTask('Sync', inNamespace(target, options.namespace), match, false));
  }
  for (const orphan of unmatched.values()) {
    if (!hooksOf(orphan) && !isSkipped(orphan)) tasks.push(pruneTask(orphan));
  }
  if (!options.skipHooks) tasks.push(...hookTasks(targets, live, options));
  if (needsNamespace(targets, options))
    tasks.push(applyTask('PreSync', namespaceObject(options.namespace), undefined, false));
  markUnknownTypes(tasks, targets, options);
  mirrorPruneWaves(tasks);
  movePrunesLast(tasks, options.pruneLast ?? false);
  return inOrder(tasks);
}

/** The hooks of one side of a removal, in the order of their waves. Pure. */
export function planRemovalHooks(
  hooks: readonly KubeObject[],
  phase: 'PreDelete' | 'PostDelete',
  options: SyncPlanOptions,
): SyncTask[] {
  const tasks = hooks
    .filter((hook) => hooksOf(hook)?.phases.includes(phase))
    .map((hook) =>
      applyTask(phase, namedHook(inNamespace(hook, options.namespace), phase, options), undefined, true),
    );
  return inOrder(tasks);
}

/** A hook that no phase of a sync runs: to a plan it is not there, even where it defines a type. */
function isOutsideSync(target: KubeObject): boolean {
  const phases = hooksOf(target)?.phases;
  return phases !== undefined && !phases.some((phase) => phase !== 'PreDelete' && phase !== 'PostDelete');
}

function applyTask(
  phase: SyncPhase,
  target: KubeObject,
  live: KubeObject | undefined,
  hook: boolean,
): SyncTask {
  const task: SyncTask = {
    phase,
    wave: waveOf(target),
    action: 'apply',
    hook,
    target,
    skipDryRun: false,
    unknownType: false,
  };
  return live ? { ...task, live } : task;
}

function pruneTask(live: KubeObject): SyncTask {
  return {
    phase: 'Sync',
    wave: waveOf(live),
    action: 'prune',
    hook: false,
    live,
    skipDryRun: false,
    unknownType: false,
  };
}

function hookTasks(targets: KubeObject[], live: KubeObject[], options: SyncPlanOptions): SyncTask[] {
  const byKey = new Map(live.map((object) => [keyIn(object, ''), object]));
  return targets.flatMap((target) => {
    const phases = hooksOf(target)?.phases ?? [];
    return phases.flatMap((phase) => {
      if (phase === 'PreDelete' || phase === 'PostDelete') return [];
      const named = namedHook(inNamespace(target, options.namespace), phase, options);
      const match = byKey.get(keyIn(named, options.namespace)) ?? byKey.get(clusterKey(named));
      return [applyTask(phase, named, match, true)];
    });
  });
}

/** The hook with the name it gets in this operation, and the finalizer that holds it until its phase ends. */
function namedHook(hook: KubeObject, phase: SyncPhase, options: SyncPlanOptions): KubeObject {
  const { metadata } = hook;
  const revision =
    (options.revision ?? '').length >= 8 ? options.revision!.slice(0, 7) : (options.revision ?? '');
  const suffix = `${revision}-${phase}-${options.startedAt ?? 0}`.toLowerCase();
  const finalizers = metadata.finalizers ?? [];
  return {
    ...hook,
    metadata: {
      ...metadata,
      name: metadata.name || `${metadata.generateName ?? ''}${suffix}`,
      finalizers: finalizers.includes(HOOK_FINALIZER) ? finalizers : [...finalizers, HOOK_FINALIZER],
    },
  };
}

function inNamespace(object: KubeObject, namespace: string): KubeObject {
  if (object.metadata.namespace || !namespace) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** Live objects are matched in the destination namespace and without one: the scope of a type may not be known. */
function takeLive(
  live: Map<string, KubeObject>,
  target: KubeObject,
  namespace: string,
): KubeObject | undefined {
  for (const key of [keyIn(target, namespace), clusterKey(target)]) {
    const match = live.get(key);
    if (!match) continue;
    live.delete(key);
    return match;
  }
  return undefined;
}

/** The key in a namespace: for targets the destination where they name none, for live objects their own. */
function keyIn(object: KubeObject, namespace: string): string {
  const { group, kind, name } = keyOf(object);
  return `${group}/${kind}/${object.metadata.namespace || namespace}/${name}`;
}

function clusterKey(object: KubeObject): string {
  const { group, kind, name } = keyOf(object);
  return `${group}/${kind}//${name}`;
}

function needsNamespace(targets: KubeObject[], options: SyncPlanOptions): boolean {
  if (!options.createNamespace || !options.namespace) return false;
  return !targets.some(
    (target) => !hooksOf(target) && isNamespace(target) && target.metadata.name === options.namespace,
  );
}

function isNamespace(object: KubeObject): boolean {
  return object.kind === 'Namespace' && parseApiVersion(object.apiVersion).group === '';
}

function namespaceObject(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function markUnknownTypes(tasks: SyncTask[], targets: KubeObject[], options: SyncPlanOptions): void {
  const { isKnown } = options;
  if (!isKnown) return;
  const coming = new Set(targets.flatMap((target) => definedType(target) ?? []).map(groupKindString));
  for (const task of tasks) {
    const type = keyOf(objectOf(task));
    if (isKnown(type)) continue;
    const excused =
      options.skipDryRunOnMissingResource ||
      (task.target &&
        annotationList(task.target, ANNOTATION.syncOptions).includes('SkipDryRunOnMissingResource=true')) ||
      coming.has(groupKindString(type));
    if (excused) task.skipDryRun = true;
    else task.unknownType = true;
  }
}

function objectOf(task: SyncTask): KubeObject {
  return (task.target ?? task.live)!;
}

/** Prunes undo in reverse: the distinct waves of prunes are swapped pairwise; those of applies stay. */
function mirrorPruneWaves(tasks: SyncTask[]): void {
  const prunes = tasks.filter((task) => task.action === 'prune');
  const waves = [...new Set(prunes.map((task) => task.wave))].sort((a, b) => a - b);
  const mirrored = new Map(waves.map((wave, index) => [wave, waves[waves.length - 1 - index]!]));
  for (const task of prunes) task.wave = mirrored.get(task.wave)!;
}

/** PruneLast: after the last wave of the Sync phase, which is at least 0. */
function movePrunesLast(tasks: SyncTask[], all: boolean): void {
  const last = tasks.reduce((wave, task) => (task.phase === 'Sync' ? Math.max(wave, task.wave) : wave), 0);
  for (const task of tasks) {
    if (task.action !== 'prune') continue;
    if (all || annotationList(task.live!, ANNOTATION.syncOptions).includes('PruneLast=true'))
      task.wave = last + 1;
  }
}

function inOrder(tasks: SyncTask[]): SyncTask[] {
  const sorted = [...tasks].sort(compareTasks);
  pullUp(
    sorted,
    (object) => (isNamespace(object) ? object.metadata.name : undefined),
    (object) => object.metadata.namespace || undefined,
  );
  pullUp(
    sorted,
    (object) => {
      const type = definedType(object);
      return type && `${type.group}/${type.kind}`;
    },
    (object) => `${parseApiVersion(object.apiVersion).group}/${object.kind}`,
  );
  return sorted;
}

function compareTasks(a: SyncTask, b: SyncTask): number {
  const [objectA, objectB] = [objectOf(a), objectOf(b)];
  return (
    PHASE_ORDER[a.phase] - PHASE_ORDER[b.phase] ||
    a.wave - b.wave ||
    kindRank(objectA.kind) - kindRank(objectB.kind) ||
    compareText(objectA.metadata.name ?? '', objectB.metadata.name ?? '') ||
    // The reference leaves ties open; a total order keeps plans equal for equal input.
    compareText(tieBreak(objectA), tieBreak(objectB)) ||
    compareText(a.action, b.action)
  );
}

function kindRank(kind: string): number {
  return KIND_ORDER.get(kind) ?? KIND_ORDER.size;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function tieBreak(object: KubeObject): string {
  const { group, kind, namespace } = keyOf(object);
  return `${kind}\0${group}\0${namespace}`;
}

/** Moves what others need (`provides`) in front of its first user (`needs`), into that one's phase and wave. */
function pullUp(
  tasks: SyncTask[],
  provides: (object: KubeObject) => string | undefined,
  needs: (object: KubeObject) => string | undefined,
): void {
  const firstUser = new Map<string, SyncTask>();
  for (const task of [...tasks]) {
    if (!task.target) continue;
    const provided = provides(task.target);
    if (provided !== undefined) {
      const user = firstUser.get(provided);
      if (!user) continue;
      task.wave = user.wave;
      task.phase = user.phase;
      tasks.splice(tasks.indexOf(task), 1);
      tasks.splice(tasks.indexOf(user), 0, task);
      continue;
    }
    const needed = needs(task.target);
    if (needed !== undefined && !firstUser.has(needed)) firstUser.set(needed, task);
  }
}
