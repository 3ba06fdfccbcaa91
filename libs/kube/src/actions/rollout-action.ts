import { MusterError } from '@muster/base';
import { isRecord, type KubeObject } from '../object.ts';
import { part } from '../tree/object-facts.ts';
import type { ActionPatch, ActionPlan, ActionStamp, ObjectAction } from './action.ts';

/** What can be done to a Rollout besides what can be done to any workload. */
export const ROLLOUT_ACTIONS = [
  'pause',
  'resume',
  'promote',
  'promote-full',
  'skip-step',
  'skip-all-steps',
  'abort',
  'retry',
] as const satisfies ObjectAction[];

const status = (body: Record<string, unknown>): ActionPatch => ({
  subresource: 'status',
  body: { status: body },
});
const spec = (body: Record<string, unknown>): ActionPatch => ({ body: { spec: body } });

/**
 * Actions on an Argo Rollouts Rollout, as its kubectl plugin carries them out: status first, then the specification.
 * @throws MusterError precondition where the plugin would say no, or do nothing without a word.
 */
export function planRolloutAction(action: string, rollout: KubeObject, { nowMs }: ActionStamp): ActionPlan {
  const paused = part(rollout, 'spec', 'paused') === true;
  const aborted = part(rollout, 'status', 'abort') === true;
  switch (action) {
    case 'restart':
      return patched('its Pods are made anew', spec({ restartAt: atSecond(nowMs) }));
    case 'pause':
      return paused ? nothing('it is paused already') : patched('paused', spec({ paused: true }));
    case 'abort':
      if (aborted) return nothing('it is aborted already');
      if (complete(rollout))
        throw new MusterError('precondition', 'no update is under way: nothing to abort');
      return patched('aborted: traffic goes back to the stable version', status({ abort: true }));
    case 'retry':
      if (!aborted)
        throw new MusterError('precondition', 'it is not aborted: only an aborted update is retried');
      return patched('the update begins anew', status({ abort: false }));
    case 'promote-full':
      if (complete(rollout)) return nothing('no update is under way: it is promoted fully');
      return patched('promoted fully: analysis, pauses and steps are skipped', status({ promoteFull: true }));
    case 'skip-step':
    case 'skip-all-steps':
      return skip(rollout, action === 'skip-all-steps');
    case 'resume':
      return resume(rollout, paused);
    default:
      return promote(rollout, paused);
  }
}

/** Ends a pause, and nothing else: a step is never skipped by it. */
function resume(rollout: KubeObject, paused: boolean): ActionPlan {
  const patches: ActionPatch[] = [];
  if (waits(rollout)) patches.push(status({ pauseConditions: null }));
  if (paused) patches.push(spec({ paused: false }));
  return patches.length > 0 ? patched('resumed', ...patches) : nothing('it is not paused');
}

/** Clears a pause, or goes on to the next step where none holds it: never both. */
function promote(rollout: KubeObject, paused: boolean): ActionPlan {
  if (part(rollout, 'status', 'abort') === true)
    throw new MusterError('precondition', 'the update is aborted', { hint: 'retry it first' });
  const patches: ActionPatch[] = [];
  const next = nextStep(rollout);
  const analysis = part(rollout, 'status', 'canary', 'currentStepAnalysisRunStatus', 'status');
  const stuck = analysis === 'Inconclusive' && part(rollout, 'status', 'controllerPause') === true;
  if (waits(rollout) && stuck && next !== undefined)
    patches.push(status({ pauseConditions: null, controllerPause: false, currentStepIndex: next }));
  else if (waits(rollout)) patches.push(status({ pauseConditions: null }));
  else if (next !== undefined && !complete(rollout))
    patches.push(status({ pauseConditions: null, currentStepIndex: next }));
  if (paused) patches.push(spec({ paused: false }));
  return patches.length > 0 ? patched('promoted', ...patches) : nothing('there is nothing to promote');
}

function skip(rollout: KubeObject, all: boolean): ActionPlan {
  const steps = stepsOf(rollout);
  if (!isRecord(part(rollout, 'spec', 'strategy', 'canary')))
    throw new MusterError('precondition', 'a blue-green rollout has no steps', { hint: 'promote it' });
  if (steps === 0) throw new MusterError('precondition', 'this rollout has no steps to skip');
  const index = all ? steps : nextStep(rollout)!;
  return patched(
    all ? 'all steps are skipped' : `at step ${index} of ${steps}`,
    status({ currentStepIndex: index }),
  );
}

/** Index of the step after the current one; undefined without steps. */
function nextStep(rollout: KubeObject): number | undefined {
  const steps = stepsOf(rollout);
  if (steps === 0) return undefined;
  return Math.min((Number(part(rollout, 'status', 'currentStepIndex')) || 0) + 1, steps);
}

function stepsOf(rollout: KubeObject): number {
  const steps = part(rollout, 'spec', 'strategy', 'canary', 'steps');
  return Array.isArray(steps) ? steps.length : 0;
}

function waits(rollout: KubeObject): boolean {
  const conditions = part(rollout, 'status', 'pauseConditions');
  return Array.isArray(conditions) && conditions.length > 0;
}

/** Whether the newest version is the stable one. */
function complete(rollout: KubeObject): boolean {
  const current = part(rollout, 'status', 'currentPodHash');
  return typeof current === 'string' && current !== '' && current === part(rollout, 'status', 'stableRS');
}

/** Kubernetes' times have no fractions. */
function atSecond(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

const patched = (message: string, ...patches: ActionPatch[]): ActionPlan => ({
  kind: 'patch',
  patches,
  message,
});
const nothing = (message: string): ActionPlan => ({ kind: 'nothing', message });
