import { ANNOTATION } from '../annotations.ts';
import { annotationList, annotationOf, type KubeObject } from '../object.ts';

/** When a hook runs. PreDelete and PostDelete belong to the removal of an Application, not to a sync. */
export type HookPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail' | 'PreDelete' | 'PostDelete';

/** When a hook's object is deleted. */
export type HookDeletePolicy = 'HookSucceeded' | 'HookFailed' | 'BeforeHookCreation';

/** What the annotations of a hook say; `phases` is empty when none of them is one that exists (it then runs never). */
export interface Hook {
  phases: HookPhase[];
  deletePolicies: HookDeletePolicy[];
  /** The annotation that made it a hook, for messages. */
  annotation: string;
}

const PHASES = new Set<string>(['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreDelete', 'PostDelete']);
const HELM_PHASES: Record<string, HookPhase> = {
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
  'pre-delete': 'PreDelete',
  'post-delete': 'PostDelete',
};
const POLICIES = new Set<string>(['HookSucceeded', 'HookFailed', 'BeforeHookCreation']);
const HELM_POLICIES: Record<string, HookDeletePolicy> = {
  'hook-succeeded': 'HookSucceeded',
  'hook-failed': 'HookFailed',
  'before-hook-creation': 'BeforeHookCreation',
};

/** Types that count for the question whether `Skip` stands alone: those of a sync only, as in the reference. */
const SYNC_TYPES = new Set(['PreSync', 'Sync', 'PostSync', 'SyncFail', 'Skip']);
const HELM_SYNC_TYPES = new Set(['pre-install', 'pre-upgrade', 'post-install', 'post-upgrade']);

/** Whether the object is neither applied nor pruned: `Skip` as its only hook type. */
export function isSkipped(object: KubeObject): boolean {
  const types = annotationList(object, ANNOTATION.hook).filter((type) => SYNC_TYPES.has(type));
  return types.length === 1 && types[0] === 'Skip';
}

/**
 * What the hook annotations say; null for an ordinary resource. For the phases of a sync Helm's annotations count only
 * without a valid Argo CD type of a sync; those of a removal count from either.
 */
export function hooksOf(object: KubeObject): Hook | null {
  const argo = annotationOf(object, ANNOTATION.hook);
  const helm = annotationOf(object, ANNOTATION.helmHook);
  if (argo !== undefined ? isSkipped(object) : helm === undefined || helm === 'crd-install') return null;
  const declared = annotationList(object, ANNOTATION.hook);
  const phases = declared.filter((type): type is HookPhase => PHASES.has(type));
  const byHelm = annotationList(object, ANNOTATION.helmHook).flatMap((type) => HELM_PHASES[type] ?? []);
  const removal = [...phases, ...byHelm].filter((phase) => !SYNC_TYPES.has(phase));
  const ofSync = declared.some((type) => SYNC_TYPES.has(type)) ? phases : byHelm;
  return {
    phases: [...new Set([...ofSync.filter((phase) => SYNC_TYPES.has(phase)), ...removal])],
    deletePolicies: deletePoliciesOf(object),
    annotation: argo !== undefined ? ANNOTATION.hook : ANNOTATION.helmHook,
  };
}

function deletePoliciesOf(object: KubeObject): HookDeletePolicy[] {
  const policies = [
    ...annotationList(object, ANNOTATION.hookDeletePolicy).filter((p): p is HookDeletePolicy =>
      POLICIES.has(p),
    ),
    ...annotationList(object, ANNOTATION.helmHookDeletePolicy).flatMap((p) => HELM_POLICIES[p] ?? []),
  ];
  return policies.length > 0 ? [...new Set(policies)] : ['BeforeHookCreation'];
}

/** Whether the object is a Helm test, a rollback hook or the like: a hook that no phase of a sync runs. */
export function isDroppedHook(object: KubeObject): boolean {
  return hooksOf(object)?.phases.length === 0;
}

/** Whether a Helm hook annotation names one of the phases of a sync. */
export function isHelmSyncHook(object: KubeObject): boolean {
  return annotationList(object, ANNOTATION.helmHook).some((type) => HELM_SYNC_TYPES.has(type));
}

/** The wave: `argocd.argoproj.io/sync-wave`, else `helm.sh/hook-weight` (on ordinary resources too), else 0. */
export function waveOf(object: KubeObject): number {
  return (
    goInteger(annotationOf(object, ANNOTATION.syncWave)) ??
    goInteger(annotationOf(object, ANNOTATION.helmHookWeight)) ??
    0
  );
}

/** Go's Atoi: an optional sign and digits within 64 bits. */
function goInteger(text: string | undefined): number | undefined {
  if (text === undefined || !/^[+-]?[0-9]+$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? Number(value) : undefined;
}
