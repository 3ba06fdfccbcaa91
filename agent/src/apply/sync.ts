import { MusterError } from '@muster/base';
import { type StepDecision, afterRun, describeProgress, failRunning, nextStep, taskId } from '@muster/kube';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import type { DesiredState } from './desired.ts';
import { abandonHooks, releaseHook } from './hooks.ts';
import type { Shown } from './operation.ts';
import { type SyncOutcome, describeDryRun, describeFailure, describeSuccess } from './outcome.ts';
import { deadlineOf, keyOfTask } from './plan.ts';
import { may } from './power.ts';
import { begin, prepare, tryOut } from './preparation.ts';
import { carryOut, removeHooks } from './wave.ts';
import { type SyncRequest, SyncWork } from './work.ts';

/** After its deadline an operation has this long for its SyncFail hooks. */
const GRACE_MS = 5 * 60_000;
const LOOK_EVERY_MS = 10_000;

/**
 * Makes the cluster hold what a bundle says: everything is tried as a dry run first, so that an error touches
 * nothing; then wave by wave, each waiting for the health of the one before. `step` returns whenever there is
 * something to wait for, so that a wait holds up nobody else.
 */
export class Sync {
  /** What is waited for. */
  message = '';
  /** When it fails at the latest, in Unix milliseconds; Infinity: never. */
  readonly deadline: number;
  /** When to look again, in milliseconds, if nothing is heard until then. */
  waitMs = LOOK_EVERY_MS;
  private readonly work: SyncWork;
  private waiting = '';
  private prepared = false;
  private pauseUntil = 0;
  private readonly started: number;
  private dryRunEnded = 0;

  constructor(cluster: Cluster, app: Application, desired: DesiredState, request: SyncRequest) {
    this.work = new SyncWork(cluster, app, desired, request);
    this.started = cluster.now();
    const limit = deadlineOf(app) ?? cluster.deadlineMs;
    this.deadline = limit > 0 ? request.operation.startedAtMs + limit : Infinity;
  }

  /** A hook has begun and not ended: it is better not cut off. */
  get hooksRun(): boolean {
    return Object.values(this.work.request.operation.hooks).some(({ phase }) => phase === 'Running');
  }

  /** How far it is. */
  get shown(): Shown {
    const { tasks, progress, live } = this.work;
    const { at, waitsFor, hooks } = describeProgress(tasks, progress, live);
    return { ...at, waitsFor, hooks };
  }

  /** Goes on as far as it can. Undefined: it waits for the cluster. Rejects only with the reason of the signal. */
  async step(): Promise<SyncOutcome | undefined> {
    const { work } = this;
    const { signal, dryRun } = work.request;
    signal.throwIfAborted();
    try {
      if (!this.prepared) {
        await prepare(work);
        if (work.failed) return this.outcome('nothing was changed');
        if (may(work.cluster.power, 'apply')) await tryOut(work);
        this.dryRunEnded = work.cluster.now();
        if (work.failed) return this.outcome('the dry run failed, nothing was changed');
        if (dryRun) return this.outcome(this.describeDryRun());
        await begin(work);
        this.prepared = true;
      }
      return await this.advance();
    } catch (thrown) {
      signal.throwIfAborted();
      work.fail('', thrown);
      return this.outcome('');
    }
  }

  private async advance(): Promise<SyncOutcome | undefined> {
    const { cluster, request, tasks } = this.work;
    for (;;) {
      request.signal.throwIfAborted();
      if (this.pauseUntil > cluster.now()) return this.wait(this.waiting);
      await this.checkDeadline();
      let decision = await this.look();
      let begun = false;
      while (decision.do === 'run') {
        request.checkpoint();
        request.signal.throwIfAborted();
        begun ||= decision.apply.length + decision.prune.length > 0;
        const touched = await carryOut(this.work, decision);
        if (touched && !decision.final) this.pauseUntil = cluster.now() + cluster.wavePauseMs;
        decision = afterRun(tasks, this.work.progress, decision, this.work.live);
      }
      if (decision.do === 'end') return this.end(decision);
      this.waiting = decision.message;
      // Otherwise the next look may find more to do at once.
      if (!begun) return this.wait(decision.message);
    }
  }

  /** Looks at what runs, releases the hooks that have ended, and answers what comes next. */
  private async look(): Promise<StepDecision> {
    const { work } = this;
    const { cluster, app, request } = work;
    const step = nextStep(work.tasks, work.progress, work.live);
    for (const [id, state] of step.progress) work.note(id, state);
    // Once it is released a hook may vanish: what came of it is written down before.
    if (step.release.length > 0) await request.save();
    await eachOf(step.release, PARALLEL, async (task) => {
      await releaseHook(cluster, app, work.wanted(task)!.type!, keyOfTask(task), request.signal);
    });
    return step.decision;
  }

  private wait(message: string): undefined {
    const now = this.work.cluster.now();
    this.message = this.work.where(message);
    const pause = this.pauseUntil > now ? this.pauseUntil - now : LOOK_EVERY_MS;
    this.waitMs = Math.max(10, Math.min(pause, this.deadline > now ? this.deadline - now : LOOK_EVERY_MS));
    return undefined;
  }

  private async checkDeadline(): Promise<void> {
    const { cluster, app, request, tasks, progress } = this.work;
    const late = cluster.now() - this.deadline;
    if (late < 0) return;
    const allowed = Math.round((this.deadline - request.operation.startedAtMs) / 1_000);
    const message = `did not end within the deadline of ${allowed} s`;
    if (late > GRACE_MS)
      throw new MusterError('limit', `the operation ${message}, its SyncFail hooks included`);
    const ordinary = tasks.filter(({ phase }) => phase !== 'SyncFail');
    if ([...progress.values()].some(({ message: said }) => said === message)) return;
    await abandonHooks(cluster, app, request.operation, request.signal);
    for (const [id, state] of failRunning(ordinary, progress, message)) this.work.note(id, state);
  }

  private describeDryRun(): string {
    const { tasks, changed, leaving, standing } = this.work;
    const adopting = [...standing].filter(([, { foreign }]) => foreign).map(([key]) => key);
    return describeDryRun(tasks, changed, leaving.held.size, new Set(adopting));
  }

  private async end(decision: StepDecision & { do: 'end' }): Promise<SyncOutcome> {
    const { work } = this;
    await removeHooks(work, decision.remove);
    if (decision.phase === 'Succeeded') return this.outcome('');
    for (const task of work.tasks) {
      const state = work.progress.get(taskId(task));
      const key = keyOfTask(task);
      if (state?.phase !== 'Failed' || work.errors.has(key)) continue;
      work.errors.set(key, state.message || 'is Degraded');
      work.settled = true;
      work.transient = false;
    }
    return this.outcome(decision.message.split(', reason: ')[0]!);
  }

  private outcome(note: string): SyncOutcome {
    const { errors, conflicts, cluster, changed, transient, settled, leaving, request } = this.work;
    const { adopting, foreign } = this.work;
    const ended = cluster.now();
    const failed = errors.size > 0 || conflicts.size > 0;
    const hooks = Object.keys(request.operation.hooks).length;
    const { pruned } = this.work;
    return {
      phase: failed ? 'Failed' : 'Succeeded',
      message: failed
        ? describeFailure(errors, conflicts, note)
        : request.dryRun
          ? note
          : describeSuccess(
              {
                changed: changed.size,
                pruned,
                hooks,
                held: leaving.held.size,
                adopted: adopting,
                foreign: foreign.size,
              },
              note,
            ),
      errors,
      conflicts,
      transient: failed && transient,
      settled: failed && settled,
      changed: changed.size,
      pruned,
      hooks: this.shown.hooks ?? [],
      dryRunMs: (this.dryRunEnded || ended) - this.started,
      applyMs: this.dryRunEnded ? ended - this.dryRunEnded : 0,
    };
  }
}
