import type { MusterError } from '@muster/base';
import type { HookProgress, WaitedFor } from '@muster/kube';
import type { Operation } from '@muster/proto/records';
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
    ...NO_PROGRESS,
    hooks: [],
    nextTry: undefined,
  };
}

const MAX_WAITED = 20;
const MAX_HOOKS = 50;
const MAX_TEXT = 1_000;
const NO_PROGRESS = { step: '', wave: 0, deadlineMs: 0n, waitsFor: [], waitsForTotal: 0 };

/** How far an operation is, besides its message. */
export interface Shown {
  step?: string;
  wave?: number;
  waitsFor?: WaitedFor[];
  hooks?: HookProgress[];
}

/** Shows what a running sync waits for, and until when. */
export function showProgress(
  app: Application,
  message: string,
  deadlineMs: number,
  { step = '', wave = 0, waitsFor = [], hooks }: Shown = {},
): void {
  const limited = Number.isFinite(deadlineMs);
  const until = limited ? `; fails at ${new Date(deadlineMs).toISOString()}` : '';
  app.operation = {
    ...app.operation!,
    message: `${message}${until}`,
    step,
    wave,
    deadlineMs: limited ? BigInt(deadlineMs) : 0n,
    waitsFor: waitsFor.slice(0, MAX_WAITED).map(bounded),
    waitsForTotal: waitsFor.length,
    ...(hooks && { hooks: hooks.slice(0, MAX_HOOKS).map(bounded) }),
  };
}

/** Shows that a sync that failed is tried again, and when. */
export function showNextTry(app: Application, nextTry: Operation['nextTry']): void {
  if (app.operation) app.operation = { ...app.operation, nextTry };
}

function bounded<T extends { message: string }>(each: T): T {
  return each.message.length > MAX_TEXT ? { ...each, message: `${each.message.slice(0, MAX_TEXT)}…` } : each;
}

/** Shows how a sync ended: the operation, the resources that failed, and the conditions. */
export function endOperation(app: Application, outcome: SyncOutcome, dryRun: boolean, nowMs: number): void {
  const { phase, message, errors, conflicts, hooks } = outcome;
  const ended = {
    phase,
    message,
    finishedAtMs: BigInt(nowMs),
    hooks: hooks.slice(0, MAX_HOOKS).map(bounded),
  };
  app.operation = { ...app.operation!, ...NO_PROGRESS, ...ended };
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
  app.operation = { ...app.operation!, ...NO_PROGRESS, phase, message, finishedAtMs: BigInt(nowMs) };
  if (!terminated) app.condition(condition, message, nowMs);
}

function setMessage(app: Application, key: string, message: string): void {
  const resource = app.resources.get(key);
  if (!resource) return;
  resource.applyError = message;
  resource.sync = 'OutOfSync';
}
