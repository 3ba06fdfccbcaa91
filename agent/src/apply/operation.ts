import type { MusterError } from '@muster/base';
import type { Application } from './application.ts';
import { type SyncOutcome, conflictText } from './outcome.ts';

/** Shows a sync or removal as running. */
export function beginOperation(app: Application, commandId: string, retries: number, nowMs: number): void {
  app.operation = {
    phase: 'Running',
    message: '',
    startedAtMs: BigInt(nowMs),
    finishedAtMs: 0n,
    commandId,
    retries,
  };
}

/** Shows what a running sync waits for, and until when. */
export function showProgress(app: Application, message: string, deadlineMs: number): void {
  const until = Number.isFinite(deadlineMs) ? `; fails at ${new Date(deadlineMs).toISOString()}` : '';
  app.operation = { ...app.operation!, message: `${message}${until}` };
}

/** Shows how a sync ended: the operation, the resources that failed, and the conditions. */
export function endOperation(app: Application, outcome: SyncOutcome, dryRun: boolean, nowMs: number): void {
  const { phase, message, errors, conflicts } = outcome;
  app.operation = { ...app.operation!, phase, message, finishedAtMs: BigInt(nowMs) };
  const texts = [...conflicts].map(([key, owner]) => conflictText(key, owner));
  app.condition('SharedResource', texts.join('; '), nowMs);
  if (!dryRun) app.condition('SyncError', errors.size > 0 ? message : undefined, nowMs);
  for (const [key, owner] of conflicts) setMessage(app, key, `belongs to Application ${owner}`);
  for (const [key, error] of errors) setMessage(app, key, error);
}

/** Shows a sync or removal that ended for a reason of its own. */
export function failOperation(
  app: Application,
  error: MusterError,
  terminated: boolean,
  nowMs: number,
  condition = 'SyncError',
): void {
  const message = error.describe();
  const phase = terminated ? 'Terminated' : 'Error';
  if (!app.operation) beginOperation(app, '', 0, nowMs);
  app.operation = { ...app.operation!, phase, message, finishedAtMs: BigInt(nowMs) };
  if (!terminated) app.condition(condition, message, nowMs);
}

function setMessage(app: Application, key: string, message: string): void {
  const resource = app.resources.get(key);
  if (!resource) return;
  resource.applyError = message;
  resource.sync = 'OutOfSync';
}
