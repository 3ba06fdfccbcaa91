import type { SyncTask } from '@muster/kube';
import type { Application } from './application.ts';

/** Neighbours in the plan of the same phase, wave and kind do not depend on each other. */
export function groupsOf(tasks: readonly SyncTask[]): SyncTask[][] {
  const groups: SyncTask[][] = [];
  for (const task of tasks) {
    const last = groups.at(-1);
    const before = last?.[0];
    const same =
      before &&
      before.phase === task.phase &&
      before.wave === task.wave &&
      before.target?.kind === task.target?.kind;
    if (same) last!.push(task);
    else groups.push([task]);
  }
  return groups;
}

/**
 * How deletes cascade: as PrunePropagationPolicy says; else workloads wait for what they made, and all others are
 * simply gone (the garbage collector needs half a minute to learn of kinds that are new).
 */
export function propagationOf(app: Application, kind: string): 'Foreground' | 'Background' | 'Orphan' {
  switch (app.option('PrunePropagationPolicy')) {
    case 'foreground':
      return 'Foreground';
    case 'background':
      return 'Background';
    case 'orphan':
      return 'Orphan';
    default:
      return WORKLOADS.has(kind) ? 'Foreground' : 'Background';
  }
}

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob']);
