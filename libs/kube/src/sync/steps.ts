import type { Health } from '../health/status.ts';
import { keyOf, keyString } from '../object.ts';
import { hooksOf } from './hooks.ts';
import type { SyncPhase, SyncTask } from './order.ts';

/** How far a task of an operation is; a task without one has not begun. */
export interface TaskProgress {
  phase: 'Running' | 'Succeeded' | 'Failed';
  message: string;
  /** The API server refused it, or it is gone: the operation names the message as its reason. */
  refused?: boolean;
}

/** Progress by `taskId`. */
export type Progress = ReadonlyMap<string, TaskProgress>;

/** What the cluster has of a task's object. `health` is empty for kinds without a check. */
export interface LiveTask {
  deleting: boolean;
  health: Health;
}

/** Answers undefined for an object that is not there. */
export type LiveTaskOf = (task: SyncTask) => LiveTask | undefined;

/** What an operation does next. After `run` the caller notes what came of it and asks `afterRun`. */
export type StepDecision =
  | { do: 'wait'; message: string }
  | RunDecision
  | {
      do: 'end';
      phase: 'Succeeded' | 'Failed';
      message: string;
      /** Hooks to delete, as their policies say. */
      remove: SyncTask[];
    };

/** One wave: prunes first; where hooks of earlier operations are in the way they go, and nothing is applied yet. */
export interface RunDecision {
  do: 'run';
  phase: SyncPhase;
  wave: number;
  /** Nothing comes after it. */
  final: boolean;
  prune: SyncTask[];
  /** Hooks that are in the way of their successors. */
  remove: SyncTask[];
  apply: SyncTask[];
  /** All of the wave, for what is said while it is waited for. */
  all: SyncTask[];
}

/** The state of an operation after a look at the cluster. */
export interface Step {
  progress: Progress;
  /** Hooks that have ended: their finalizer goes. */
  release: SyncTask[];
  decision: StepDecision;
}

/** Names a task within an operation; stable over restarts, as plans are equal for equal input. */
export function taskId(task: SyncTask): string {
  return `${task.phase} ${keyString(keyOf((task.target ?? task.live)!))}`;
}

/**
 * The next step of an operation: what runs is looked at, waited for, or the next wave begins. Pure; the reference's
 * steps, but that a plan is made once (its waves do not shift as pruned objects vanish).
 */
export function nextStep(tasks: readonly SyncTask[], before: Progress, live: LiveTaskOf): Step {
  const { progress, release } = look(tasks, before, live);
  return { progress, release, decision: decide(tasks, progress, live) };
}

/** What follows a run whose outcome is in `progress`. */
export function afterRun(
  tasks: readonly SyncTask[],
  progress: Progress,
  ran: RunDecision,
  live: LiveTaskOf,
): StepDecision {
  const running = (task: SyncTask) => progress.get(taskId(task))?.phase === 'Running';
  if (ran.phase === 'SyncFail') return { do: 'wait', message: waitingFor(ran.all.filter(running)) };
  const failed = ran.all.some((task) => progress.get(taskId(task))?.phase === 'Failed');
  if (failed) {
    const waiting = tasks.filter((task) => task.action === 'apply' && running(task));
    if (waiting.length > 0) return { do: 'wait', message: waitingFor(waiting) };
    return failure(tasks, progress, live, 'one or more objects failed to apply');
  }
  const deleting = ran.all.filter((task) => task.hook && !progress.has(taskId(task)));
  if (deleting.length > 0) return { do: 'wait', message: waitingFor(deleting, true) };
  if (!ran.final || ran.all.some((task) => task.hook)) return { do: 'wait', message: waitingFor(ran.all) };
  return success(tasks, progress, live, 'successfully synced (all tasks run)');
}

/** Fails what still runs, for example because the operation's deadline has passed. */
export function failRunning(tasks: readonly SyncTask[], before: Progress, message: string): Progress {
  const progress = new Map(before);
  for (const task of tasks) {
    const id = taskId(task);
    if (progress.get(id)?.phase === 'Running') progress.set(id, { phase: 'Failed', message, refused: true });
  }
  return progress;
}

/** Brings what runs up to date with the cluster. */
function look(tasks: readonly SyncTask[], before: Progress, live: LiveTaskOf) {
  const progress = new Map(before);
  const release: SyncTask[] = [];
  for (const task of tasks) {
    const id = taskId(task);
    if (progress.get(id)?.phase !== 'Running') continue;
    const now = task.action === 'prune' ? pruneProgress(task, live) : applyProgress(task, live(task));
    progress.set(id, now);
    if (task.hook && now.phase !== 'Running' && !now.refused) release.push(task);
  }
  return { progress, release };
}

function pruneProgress(task: SyncTask, live: LiveTaskOf): TaskProgress {
  return live(task)
    ? { phase: 'Running', message: 'is being deleted' }
    : { phase: 'Succeeded', message: 'pruned' };
}

function applyProgress(task: SyncTask, live: LiveTask | undefined): TaskProgress {
  if (!live) {
    const message = `Resource ${shortName(task)} is missing, it might have been deleted`;
    return { phase: 'Failed', message, refused: true };
  }
  const { status, message } = live.health;
  switch (status) {
    case '':
    case 'Healthy':
      return { phase: 'Succeeded', message };
    case 'Degraded':
      return { phase: 'Failed', message };
    case 'Missing':
      return { phase: task.hook ? 'Succeeded' : 'Running', message };
    case 'Unknown':
      return { phase: task.hook ? 'Failed' : 'Running', message };
    default:
      return { phase: 'Running', message };
  }
}

function decide(all: readonly SyncTask[], progress: Progress, live: LiveTaskOf): StepDecision {
  const [first, last] = [all[0], all.at(-1)];
  const multiStep = first?.phase !== last?.phase || first?.wave !== last?.wave;
  const phaseOf = (task: SyncTask) => progress.get(taskId(task))?.phase;
  const waiting = all.filter((task) => (multiStep || task.hook) && phaseOf(task) === 'Running');
  if (waiting.length > 0) {
    const prunes = waiting.filter(({ action }) => action === 'prune');
    const deleting = prunes.length === waiting.length;
    return { do: 'wait', message: waitingFor(waiting, deleting) };
  }
  const tasks = all.filter(({ phase }) => phase !== 'SyncFail');
  if (tasks.some((task) => phaseOf(task) === 'Failed')) {
    return failure(all, progress, live, 'one or more synchronization tasks completed unsuccessfully');
  }
  const pending = tasks.filter((task) => phaseOf(task) === undefined);
  if (pending.length === 0) return success(all, progress, live, 'successfully synced (no more tasks)');
  const { phase, wave } = pending[0]!;
  const end = tasks.at(-1)!;
  const final = phase === end.phase && wave === end.wave;
  return run(
    pending.filter((task) => task.phase === phase && task.wave === wave),
    live,
    final,
  );
}

function run(all: SyncTask[], live: LiveTaskOf, final: boolean): RunDecision {
  const { phase, wave } = all[0]!;
  const inTheWay = all.filter((task) => task.hook && replaces(task) && live(task) !== undefined);
  return {
    do: 'run',
    phase,
    wave,
    final,
    prune: all.filter(({ action }) => action === 'prune'),
    remove: inTheWay.filter((task) => !live(task)!.deleting),
    apply: inTheWay.length > 0 ? [] : all.filter(({ action }) => action === 'apply'),
    all,
  };
}

const replaces = (task: SyncTask) => hasPolicy(task, 'BeforeHookCreation');

function hasPolicy(task: SyncTask, policy: 'BeforeHookCreation' | 'HookSucceeded' | 'HookFailed'): boolean {
  return hooksOf(task.target!)?.deletePolicies.includes(policy) ?? false;
}

function success(
  tasks: readonly SyncTask[],
  progress: Progress,
  live: LiveTaskOf,
  message: string,
): StepDecision {
  const remove = leftBy(tasks, progress, live, 'HookSucceeded');
  return { do: 'end', phase: 'Succeeded', message, remove };
}

/** SyncFail hooks run to their end before the operation fails. */
function failure(
  tasks: readonly SyncTask[],
  progress: Progress,
  live: LiveTaskOf,
  message: string,
): StepDecision {
  const pending = tasks.filter((task) => task.phase === 'SyncFail' && !progress.has(taskId(task)));
  if (pending.length > 0) {
    const wave = pending[0]!.wave;
    return run(
      pending.filter((task) => task.wave === wave),
      live,
      wave === pending.at(-1)!.wave,
    );
  }
  const reasons = tasks.flatMap((task) => {
    const state = progress.get(taskId(task));
    return state?.phase === 'Failed' && state.refused ? [state.message] : [];
  });
  const said = reasons.length > 0 ? `${message}, reason: ${reasons.join(',')}` : message;
  return { do: 'end', phase: 'Failed', message: said, remove: leftBy(tasks, progress, live, 'HookFailed') };
}

/** Hooks whose objects go at the end of the operation; one object of two phases is named once. */
function leftBy(
  tasks: readonly SyncTask[],
  progress: Progress,
  live: LiveTaskOf,
  policy: 'HookSucceeded' | 'HookFailed',
): SyncTask[] {
  const byKey = new Map<string, SyncTask>();
  for (const task of tasks) {
    if (!task.hook || !progress.has(taskId(task)) || !hasPolicy(task, policy)) continue;
    if (live(task)) byKey.set(keyString(keyOf(task.target!)), task);
  }
  return [...byKey.values()];
}

function shortName(task: SyncTask): string {
  const { group, kind, name } = keyOf((task.target ?? task.live)!);
  return `${group}/${kind}/${name}`;
}

function waitingFor(tasks: readonly SyncTask[], deletion = false): string {
  const hooks = tasks.filter(({ hook }) => hook);
  const first = hooks[0] ?? tasks[0];
  if (!first) return '';
  const what = deletion ? 'deletion of' : first.hook ? 'completion of' : 'healthy state of';
  const more = hooks.length === tasks.length ? 'hooks' : 'resources';
  const others = tasks.length > 1 ? ` and ${tasks.length - 1} more ${more}` : '';
  return `waiting for ${what} ${first.hook ? 'hook ' : ''}${shortName(first)}${others}`;
}
