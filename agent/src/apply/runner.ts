import { MusterError } from '@muster/base';
import type { ObjectKey } from '@muster/kube';
import { type HeldAssignment, verbRefusal } from '@muster/link';
import { Action, type Command } from '@muster/proto/records';
import { type ActAnswer, act } from '../access/act.ts';
import { maskingOf } from '../access/masking.ts';
import { runJob } from '../access/run-job.ts';
import { judge, type Verdict } from '../observe/compare.ts';
import { Comparison } from '../observe/comparison.ts';
import { heal } from '../observe/heal.ts';
import { HealBudget } from '../observe/healing.ts';
import { Application } from './application.ts';
import { BundleReader, type BundleReaderOptions } from './bundle-reader.ts';
import { describeConditions } from './conditions.ts';
import { servedByNow } from './definitions.ts';
import type { DesiredState } from './desired.ts';
import { beginOperation, failOperation, showProgress } from './operation.ts';
import { Operations, type SyncOrder } from './operations.ts';
import { may } from './power.ts';
import { countOwned, orphan } from './removal.ts';
import { adopt } from './resources.ts';
import { Uninstalling } from './uninstalling.ts';

export interface RunnerOptions extends BundleReaderOptions {
  /** Something of the Application that is reported may have changed. */
  changed(app: Application): void;
  /** A tombstone has been carried out. */
  finished(app: Application): void;
}

/** Where a sync window is closed, it is looked again whether it still is. */
const WINDOW_LOOK_MS = 60_000;

/** Brings one Application to what is assigned and keeps it there. Everything in it runs one after the other. */
export class Runner {
  readonly app: Application;
  private readonly options: RunnerOptions;
  private readonly budget = new HealBudget();
  private readonly bundles: BundleReader;
  private readonly operations: Operations;
  private readonly comparison: Comparison;
  private readonly uninstalling: Uninstalling;
  /** A removal that failed is not tried before, whatever happens to its objects meanwhile. */
  private leaveNotBefore = 0;
  private restored = false;

  constructor(key: string, held: HeldAssignment, options: RunnerOptions) {
    this.app = new Application(key, held);
    this.options = options;
    this.bundles = new BundleReader(options);
    this.comparison = new Comparison(options.cluster, this.app);
    this.uninstalling = new Uninstalling(this.app, {
      ...options,
      save: () => this.save(),
      changed: () => options.changed(this.app),
    });
    this.operations = new Operations(this.app, {
      cluster: options.cluster,
      save: () => this.save(),
      changed: () => options.changed(this.app),
      ended: () => {
        this.comparison.refresh();
        if (this.operations.retries > 0) this.bundles.forget();
      },
    });
  }

  /** Takes a newer assignment; a running sync of the old one ends. */
  assign(held: HeldAssignment): void {
    this.app.assign(held);
    this.leaveNotBefore = 0;
    this.operations.assigned();
  }

  mark(key: string): void {
    this.comparison.mark(key);
  }

  refresh(): void {
    this.comparison.refresh();
  }

  /** Asks for a sync; one that waits already is answered as replaced. */
  sync(order: SyncOrder): void {
    this.operations.ask(order);
  }

  /** Ends the running operation, or what a removal does now; false when there is neither. */
  terminate(): boolean {
    if (this.app.assignment.action !== Action.UNINSTALL) return this.operations.terminate();
    this.leaveNotBefore = 0;
    return this.uninstalling.terminate();
  }

  /** Confirms what is held back and chosen; answers what that is. `all`: a removal that was stopped goes on too. */
  confirm(
    selects: (object: Omit<ObjectKey, 'version'>) => boolean,
    all: boolean,
  ): { objects: Omit<ObjectKey, 'version'>[]; resumed: boolean } {
    const objects = this.app.confirm(selects);
    const resumed = all && this.app.leaving && this.uninstalling.resume();
    return { objects, resumed };
  }

  /** Tries again at once what failed, for example because another Application has let go of an object. */
  hurry(): void {
    this.operations.hurry();
  }

  /** One turn. Answers in how many milliseconds another is due by itself; undefined: when something happens. */
  async turn(signal: AbortSignal): Promise<number | undefined> {
    const { cluster } = this.options;
    const { operations, comparison } = this;
    try {
      if (!this.restored) await this.restore();
      await operations.proceedOrLetGo(signal);
      if (operations.outlivesAssignment) return operations.waitMs;
      if (this.app.leaving) return await this.leave(signal);
      if (may(cluster.power, 'uninstall')) await this.uninstalling.abandon(signal);
      const { held } = this.app;
      const desired = operations.desired ?? (await this.loadForSync(signal));
      // What was read belongs to what was assigned then; a newer assignment begins anew.
      if (this.app.held !== held) return 0;
      await operations.beginIfDue(desired, signal);
      if (this.app.held !== held) return 0;
      await comparison.run(desired, signal);
      if (operations.desired) return Math.min(operations.waitMs, comparison.pending ? 100 : Infinity);
      const closed = !this.app.mayBegin(false, cluster.hubTime()).allowed;
      const pause = closed
        ? WINDOW_LOOK_MS
        : await heal(cluster, this.app, desired, this.budget, signal, () => this.save());
      this.app.comparisonError = '';
      return this.again(pause);
    } catch (thrown) {
      if (signal.aborted) return undefined;
      return this.failed(thrown);
    } finally {
      describeConditions(this.app, this.budget, cluster);
      this.options.changed(this.app);
    }
  }

  /** The bundle, read; for those who look at it beside the turns. Throws MusterError where it cannot be had. */
  async desired(signal: AbortSignal): Promise<DesiredState> {
    return (await this.bundles.read(this.app.held, this.app.applied.digest, signal)).desired;
  }

  /** Does one thing to one object of the Application; never throws but when the signal ends it. */
  act(command: Command, signal: AbortSignal): Promise<ActAnswer> {
    return act(this.options.cluster, this.app, command, () => this.desired(signal), signal);
  }

  /** Runs a Job for a gate, beside the turns; never throws but when the signal ends it. */
  runJob(command: Command, signal: AbortSignal): Promise<ActAnswer> {
    const masking = () =>
      this.desired(signal).then(maskingOf, () => {
        signal.throwIfAborted();
        return maskingOf(undefined);
      });
    return runJob(this.options.cluster, this.app, command, masking, signal);
  }

  /** Looks at every object and answers what differs; for the diff command. */
  async differences(signal: AbortSignal): Promise<Map<string, Verdict>> {
    const { cluster } = this.options;
    const { desired } = await this.bundles.read(this.app.held, '', signal);
    const verdicts = new Map<string, Verdict>();
    const tell = (key: string, verdict: Verdict) => void verdicts.set(key, verdict);
    await judge(cluster, this.app, desired, desired.objects.keys(), signal, tell, { all: true });
    return verdicts;
  }

  /** As `load`; a sync that is to begin does not go by what kinds the cluster served some time ago. */
  private async loadForSync(signal: AbortSignal): Promise<DesiredState> {
    const desired = await this.load(signal);
    if (desired.unserved.length === 0 || !this.operations.begins) return desired;
    if (!(await servedByNow(this.options.cluster, desired.unserved, signal))) return desired;
    this.bundles.forget();
    return this.load(signal);
  }

  private async load(signal: AbortSignal): Promise<DesiredState> {
    const { held, applied } = this.app;
    const { mark, desired, instead } = await this.bundles.read(held, applied.digest, signal);
    if (this.app.held !== held) return desired;
    this.app.condition('BundleUnavailable', instead, this.options.cluster.now());
    if (this.app.desiredFor !== mark) {
      this.app.desiredFor = mark;
      adopt(this.app, desired);
      this.budget.clear();
      this.comparison.refresh();
    }
    return desired;
  }

  private async restore(): Promise<void> {
    const { cluster, records } = this.options;
    const record = await records.applied(this.app.key);
    if (record) this.app.restore(record);
    for (const key of this.app.inventory.keys()) cluster.claims.claim(key, this.app.key);
    this.restored = true;
  }

  private async leave(signal: AbortSignal): Promise<number | undefined> {
    const { app } = this;
    const { cluster, finished } = this.options;
    this.operations.refuse(new MusterError('precondition', 'the Application is leaving this cluster'));
    const pause = this.leaveNotBefore - cluster.now();
    if (pause > 0) return pause;
    const remove = app.assignment.action === Action.UNINSTALL;
    if (app.operation?.phase !== 'Running' && !app.removal?.stopped)
      beginOperation(app, '', this.operations.retries, cluster.now());
    const refusal = verbRefusal(cluster.power.accepted, remove ? 'uninstall' : 'orphan');
    // Of what was never applied there is nothing to remove or to let go.
    const marked = refusal ? await countOwned(cluster, app, signal) : 0;
    if (refusal && marked > 0) return this.keep(marked, refusal);
    if (refusal) {
      finished(app);
      return undefined;
    }
    if (!remove) await orphan(cluster, app, signal);
    const wait = remove ? await this.uninstalling.step(signal) : undefined;
    if (wait !== undefined) return wait;
    cluster.log.info(
      { application: app.key, action: remove ? 'uninstall' : 'orphan' },
      'tombstone carried out',
    );
    finished(app);
    return undefined;
  }

  /** A removal that the agent does not accept: all stays as it is, and says so. */
  private keep(count: number, refusal: string): undefined {
    const what = count === 1 ? 'one object stays as it is' : `${count} objects stay as they are`;
    showProgress(this.app, `nothing is removed, ${what}: ${refusal}`, Infinity);
    return undefined;
  }

  private failed(thrown: unknown): number {
    const { app } = this;
    const error = MusterError.from(thrown);
    const pause = this.operations.failed();
    if (app.leaving) {
      this.leaveNotBefore = this.options.cluster.now() + pause;
      failOperation(app, error, false, this.options.cluster.now(), 'RemovalError');
    } else app.comparisonError = error.describe();
    this.comparison.refresh();
    this.options.cluster.log.warn(
      { application: app.key, error: error.describe() },
      'this Application could not be brought up to date',
    );
    return pause;
  }

  private async save(): Promise<void> {
    await this.options.records.saveApplied(this.app.key, this.app.record());
  }

  private again(pause: number | undefined): number | undefined {
    const waits = [pause, this.operations.dueIn(), this.budget.calmIn(this.options.cluster.now())];
    waits.push(this.comparison.foreignIn);
    if (this.comparison.pending) waits.push(100);
    if (this.app.conditions.has('BundleUnavailable')) waits.push(this.operations.backoff());
    const due = waits.filter((wait) => wait !== undefined);
    return due.length > 0 ? Math.min(...due) : undefined;
  }
}
