import { randomUUID } from 'node:crypto';
import { MusterError } from '@muster/base';
import { type RetryPolicy, retryDecision } from '@muster/kube';
import { type HeldAssignment, versionText } from '@muster/link';
import type { OperationRecord } from '../state/records.ts';
import { type Application, contentDigest } from './application.ts';
import type { Cluster } from './cluster.ts';
import { leftHalfWay } from './conditions.ts';
import type { DesiredState } from './desired.ts';
import { abandonHooks } from './hooks.ts';
import { beginOperation, endOperation, failOperation, showNextTry, showProgress } from './operation.ts';
import type { SyncOutcome } from './outcome.ts';
import { may } from './power.ts';
import { Sync } from './sync.ts';

/** A sync that someone asked for. */
export interface SyncOrder {
  commandId: string;
  prune: boolean;
  dryRun: boolean;
  /** Only these resources; none: all. */
  resources: string[];
  replace: boolean;
  force: boolean;
  answer(outcome: SyncOutcome | MusterError): void;
}

export interface OperationsOptions {
  cluster: Cluster;
  /** Makes durable what is kept of the Application. */
  save(): Promise<void>;
  /** Something that is reported may have changed. */
  changed(): void;
  /** An operation has ended. */
  ended(): void;
}

/** A sync between its steps. */
interface Current {
  sync: Sync;
  held: HeldAssignment;
  desired: DesiredState;
  order: SyncOrder | undefined;
  record: OperationRecord;
  dryRun: boolean;
  /** Ends it: terminated, or superseded. */
  stop: AbortController;
  signal: AbortSignal;
}

const superseded = () => new MusterError('precondition', 'superseded by a newer assignment');

const RETRY_FIRST_MS = 2_000;
const RETRY_LONGEST_MS = 180_000;

/** The syncs of one Application: whether one is due, the one that runs, and what comes of it. */
export class Operations {
  private readonly app: Application;
  private readonly options: OperationsOptions;
  private order: SyncOrder | undefined;
  private failures = 0;
  private notBefore = 0;
  /** Tried as often as its policy says. */
  private exhausted = false;
  private current: Current | undefined;

  constructor(app: Application, options: OperationsOptions) {
    this.app = app;
    this.options = options;
  }

  /** What the running sync applies; undefined when none runs. */
  get desired(): DesiredState | undefined {
    return this.current?.desired;
  }

  /** The running sync is of an earlier assignment, and goes on because its hooks run. */
  get outlivesAssignment(): boolean {
    return this.current !== undefined && this.current.held !== this.app.held;
  }

  /** When the running sync is to be looked at again, in milliseconds. */
  get waitMs(): number {
    return this.current?.sync.waitMs ?? 0;
  }

  /** Another assignment is held now: a sync of the old one ends. */
  assigned(): void {
    this.failures = 0;
    this.notBefore = 0;
    this.exhausted = false;
    // A migration is better not cut off: what runs ends first, and no later wave of the old release begins.
    if (!this.app.leaving && this.current?.sync.hooksRun) return;
    this.current?.stop.abort(superseded());
  }

  /** Asks for a sync; one that waits already is answered as replaced. */
  ask(order: SyncOrder): void {
    this.order?.answer(new MusterError('conflict', 'replaced by a newer sync command'));
    this.order = order;
    if (!order.dryRun && order.resources.length === 0) this.app.suppressed = '';
    this.notBefore = 0;
  }

  /** Answers a sync that waits to be begun with why it will not be. */
  refuse(error: MusterError): void {
    this.order?.answer(error);
    this.order = undefined;
  }

  /** Ends the running operation, and that a failed one is tried again; false when there is neither. */
  terminate(): boolean {
    const retries = this.failures > 0 && this.app.automated && this.app.suppressed !== payloadOf(this.app);
    if (!this.current && !retries) return false;
    this.app.suppressed = payloadOf(this.app);
    showNextTry(this.app, undefined);
    this.options.changed();
    this.current?.stop.abort(new MusterError('precondition', 'terminated'));
    return true;
  }

  /** Tries again at once what failed, for example because another Application has let go of an object. */
  hurry(): void {
    this.notBefore = 0;
    if (!this.exhausted) return;
    this.exhausted = false;
    this.failures = 0;
    this.app.suppressed = '';
  }

  /** Counts a failure that was not a sync's; answers after how many milliseconds to try again. */
  failed(): number {
    this.failures++;
    return this.backoff();
  }

  get retries(): number {
    return this.failures;
  }

  /** Carries on what runs, and lets go of what an earlier process began and nobody will go on with. */
  async proceedOrLetGo(signal: AbortSignal): Promise<void> {
    if (!this.current && !may(this.options.cluster.power, 'apply')) return;
    if (this.current?.signal.aborted && !this.current.stop.signal.aborted) this.current = undefined;
    if (this.current) await this.proceed(signal);
    if (this.app.running && !this.current && !this.resumable()) await this.letGo(this.app.running, signal);
  }

  /** Whether a sync is due and none runs. */
  get begins(): boolean {
    if (this.current) return false;
    const writes = may(this.options.cluster.power, 'apply');
    return this.order !== undefined || (writes && (this.resumable() !== undefined || this.due()));
  }

  /** Begins a sync where one is due. */
  async beginIfDue(desired: DesiredState, signal: AbortSignal): Promise<void> {
    if (this.current) return;
    if (this.order && !this.order.dryRun) this.refuseOutsideWindows();
    if (!this.begins) return;
    this.begin(desired, signal);
    await this.proceed(signal);
  }

  /** A sync that someone asked for does not begin where the windows of the project do not let it. */
  private refuseOutsideWindows(): void {
    const window = this.app.mayBegin(true, this.options.cluster.hubTime());
    if (!window.allowed)
      this.refuse(new MusterError('precondition', `the sync may not begin: ${window.reason}`));
  }

  /** In how many milliseconds a sync is due by itself; undefined: none is. */
  dueIn(): number | undefined {
    const { app } = this;
    if (this.order) return 100;
    const due = app.automated && this.unfinished;
    if (!due || !may(this.options.cluster.power, 'apply') || app.suppressed === payloadOf(app))
      return undefined;
    const { cluster } = this.options;
    const time = cluster.hubTime();
    const window = app.mayBegin(false, time);
    // Looked at again each minute: a clock may be set, and the hub may be heard again.
    if (!window.allowed) return Math.max(100, Math.min((window.untilMs ?? Infinity) - time.nowMs, 60_000));
    return Math.max(100, this.notBefore - cluster.now());
  }

  /** What is assigned was not applied, or a sync since then failed: of something else half-way, or by a command. */
  private get unfinished(): boolean {
    const { app } = this;
    if (app.applied.assignment !== app.content || app.adopts) return true;
    return app.operation?.phase === 'Failed' || app.operation?.phase === 'Error' || leftHalfWay(app);
  }

  backoff(): number {
    const exponential = RETRY_FIRST_MS * 2 ** Math.min(Math.max(this.failures - 1, 0), 10);
    return Math.min(exponential, RETRY_LONGEST_MS) * (0.75 + Math.random() / 2);
  }

  private due(): boolean {
    const { app } = this;
    const { cluster } = this.options;
    if (!app.automated || cluster.now() < this.notBefore) return false;
    if (!app.mayBegin(false, cluster.hubTime()).allowed) return false;
    if (app.suppressed === payloadOf(app) || !app.comparesAssigned) return false;
    if (this.unfinished) return true;
    // The same content under a newer version: nothing to do but to say so.
    const version = versionText(app.assignment.version!);
    if (app.applied.version !== version) app.applied.version = version;
    return false;
  }

  /** Begins a sync; `proceed` carries it on. One that an earlier process began goes on under its name. */
  private begin(desired: DesiredState, signal: AbortSignal): void {
    const { app, order } = this;
    const { cluster } = this.options;
    this.order = undefined;
    const earlier = order ? undefined : this.resumable();
    const record = earlier ?? newRecord(app, order, cluster);
    const dryRun = order?.dryRun ?? false;
    if (!dryRun) app.running = record;
    beginOperation(app, record.commandId, this.failures, record.startedAtMs);
    const { held } = app;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const sync = new Sync(cluster, app, desired, {
      operation: record,
      dryRun,
      signal: either,
      save: () => this.options.save(),
      checkpoint: () => {
        if (app.held !== held) stop.abort(superseded());
      },
    });
    this.current = { sync, held, desired, order, record, dryRun, stop, signal: either };
    this.options.changed();
  }

  /** Carries the running sync on until it ends or has to wait. */
  private async proceed(signal: AbortSignal): Promise<void> {
    const current = this.current!;
    const { sync } = current;
    try {
      const outcome = await sync.step();
      if (outcome) await this.finish(current, outcome, signal);
      else showProgress(this.app, sync.message, sync.deadline, sync.shown);
    } catch (thrown) {
      this.current = undefined;
      // Not finished and not failed: the next start goes on. A command's outcome is then unknown, by its journal.
      if (signal.aborted) throw thrown;
      await this.abandon(current, thrown, signal);
    } finally {
      this.options.changed();
      if (!this.current) this.operationEnded();
    }
  }

  private async finish(current: Current, outcome: SyncOutcome, signal: AbortSignal): Promise<void> {
    const { app } = this;
    const { cluster, save } = this.options;
    const { record, dryRun, held, order } = current;
    this.current = undefined;
    await this.letGo(record, signal);
    this.failures = outcome.phase === 'Succeeded' ? 0 : this.failures + 1;
    const complete = outcome.phase === 'Succeeded' && !record.resources;
    if (complete && !dryRun) this.applied(held);
    const ended = outcome.phase === 'Failed' && !order ? this.afterFailure(record, outcome) : outcome;
    if (outcome.settled && order && !dryRun) app.suppressed = record.payload;
    endOperation(app, ended, dryRun, cluster.now());
    await save();
    const { changed: count, pruned, dryRunMs, applyMs, phase, message } = ended;
    cluster.log.info(
      { application: app.key, phase, message, changed: count, pruned, dryRunMs, applyMs },
      'sync ended',
    );
    order?.answer(ended);
  }

  /** Ends a sync that was stopped, or that failed for a reason of its own. */
  private async abandon(
    { record, order, stop }: Current,
    thrown: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const { app } = this;
    const { cluster, save } = this.options;
    const stopped = stop.signal.aborted;
    const error = MusterError.from(stopped ? stop.signal.reason : thrown);
    await this.letGo(record, signal).catch((failed: unknown) => {
      const message = MusterError.from(failed).describe();
      cluster.log.warn({ application: app.key, error: message }, 'hooks could not be let go');
    });
    failOperation(app, error, stopped, cluster.now());
    order?.answer(error);
    if (!stopped) this.failures++;
    await save();
  }

  /**
   * What its retry policy says of a sync that began by itself and failed. Without a policy it is tried again by the
   * agent's own backoff, unless hooks or health ended it.
   */
  private afterFailure(record: OperationRecord, outcome: SyncOutcome): SyncOutcome {
    const policy = this.retryPolicy;
    const again = policy ? retryDecision(policy, this.failures).again : !outcome.settled;
    if (again) return outcome;
    this.app.suppressed = record.payload;
    if (!policy) return outcome;
    this.exhausted = true;
    const tries = this.failures === 1 ? 'once' : `${this.failures} times`;
    return { ...outcome, message: `${outcome.message} (tried ${tries}, as the retry policy says)` };
  }

  private get retryPolicy(): RetryPolicy | undefined {
    const retry = this.app.assignment.syncPolicy?.retry;
    if (!retry) return undefined;
    const { limit, firstMs, factor, longestMs } = retry;
    return { limit, firstMs: Number(firstMs), factor, longestMs: Number(longestMs) };
  }

  private operationEnded(): void {
    if (this.failures > 0) {
      const policy = this.retryPolicy;
      const decision = policy && retryDecision(policy, this.failures);
      const pause = decision?.again ? decision.inMs : this.backoff();
      this.notBefore = this.options.cluster.now() + pause;
      const { app } = this;
      const again = app.automated && app.suppressed !== payloadOf(app);
      if (again && app.operation?.phase !== 'Succeeded')
        showNextTry(app, {
          attempt: this.failures,
          limit: policy?.limit ?? -1,
          atMs: BigInt(Math.round(this.notBefore)),
        });
    }
    this.options.ended();
  }

  /** An operation that ends leaves no hook behind that only it would release. */
  private async letGo(record: OperationRecord, signal: AbortSignal): Promise<void> {
    await abandonHooks(this.options.cluster, this.app, record, signal);
    if (this.app.running?.id === record.id) this.app.running = undefined;
  }

  /** What an earlier process began and this one may go on with. */
  private resumable(): OperationRecord | undefined {
    const { running } = this.app;
    return running?.payload === payloadOf(this.app) ? running : undefined;
  }

  private applied({ assignment }: HeldAssignment): void {
    this.app.applied = {
      digest: assignment.bundleDigest,
      version: versionText(assignment.version!),
      atMs: this.options.cluster.now(),
      assignment: contentDigest(assignment),
    };
  }
}

function newRecord(app: Application, order: SyncOrder | undefined, cluster: Cluster): OperationRecord {
  const prune = order ? order.prune : (app.assignment.syncPolicy?.prune ?? false);
  return {
    id: randomUUID(),
    payload: payloadOf(app),
    startedAtMs: cluster.now(),
    commandId: order?.commandId ?? '',
    prune: prune && may(cluster.power, 'prune'),
    ...(order && order.resources.length > 0 && { resources: order.resources }),
    ...(order?.replace && { replace: true }),
    ...(order?.force && { force: true }),
    hooks: {},
  };
}

function payloadOf(app: Application): string {
  return app.held.payloadSha256.toString('hex');
}
