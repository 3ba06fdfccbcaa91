import type { ObjectKey } from '../object.ts';
import { keyOf } from '../object.ts';
import type { SyncPhase, SyncTask } from './order.ts';
import { type LiveTaskOf, type Progress, type TaskProgress, taskId } from './steps.ts';

type Named = Omit<ObjectKey, 'version'>;

/** Something that an operation waits for, and how it is. `health` is empty for kinds without a check. */
export interface WaitedFor extends Named {
  health: string;
  message: string;
}

/** A hook that has begun. */
export interface HookProgress extends Named {
  step: SyncPhase;
  status: TaskProgress['phase'];
  message: string;
}

/** How far an operation is, in data. */
export interface OperationProgress {
  /** The phase and wave of the newest task that has begun; undefined: none has. */
  at: { step: SyncPhase; wave: number } | undefined;
  waitsFor: WaitedFor[];
  hooks: HookProgress[];
}

/** Reads how far an operation is from its tasks; pure, in the order of the plan. */
export function describeProgress(
  tasks: readonly SyncTask[],
  progress: Progress,
  live: LiveTaskOf,
): OperationProgress {
  const last = tasks.findLast((task) => progress.has(taskId(task)));
  const waitsFor: WaitedFor[] = [];
  const hooks: HookProgress[] = [];
  for (const task of tasks) {
    const state = progress.get(taskId(task));
    if (!state) continue;
    const { group, kind, namespace, name } = keyOf((task.target ?? task.live)!);
    const named = { group, kind, namespace, name };
    const { phase: status, message } = state;
    if (task.hook) hooks.push({ ...named, step: task.phase, status, message });
    if (status === 'Running') waitsFor.push({ ...named, ...howItIs(task, message, live) });
  }
  return { at: last && { step: last.phase, wave: last.wave }, waitsFor, hooks };
}

function howItIs(task: SyncTask, message: string, live: LiveTaskOf): { health: string; message: string } {
  if (task.action === 'prune') return { health: '', message: 'is being deleted' };
  const { health } = live(task) ?? {};
  return { health: health?.status ?? '', message: message || (health?.message ?? '') };
}
