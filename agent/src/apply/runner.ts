import { MusterError } from '@muster/base';
import { assignmentDigest, versionText, type HeldAssignment } from '@muster/link';
import { Action } from '@muster/proto/records';
import { judge, note, type Verdict } from '../observe/compare.ts';
import { heal } from '../observe/heal.ts';
import { HealBudget } from '../observe/healing.ts';
import { nameOf } from '../observe/live-index.ts';
import { Application } from './application.ts';
import { BundleReader, type BundleReaderOptions } from './bundle-reader.ts';
import type { DesiredState } from './desired.ts';
import { orphan, uninstall } from './removal.ts';
import { beginOperation, endOperation, failOperation } from './operation.ts';
import { adopt, triage } from './resources.ts';
import { type SyncOutcome, sync } from './sync.ts';

/** A sync that someone asked for. */
export interface SyncOrder {
  commandId: string;
  prune: boolean;
  dryRun: boolean;
  answer(outcome: SyncOutcome | MusterError): void;
}

export interface RunnerOptions extends BundleReaderOptions {
  /** Something of the Application that is reported may have changed. */
  changed(app: Application): void;
  /** A tombstone has been carried out. */
  finished(app: Application): void;
}

const RETRY_FIRST_MS = 2_000;
const RETRY_LONGEST_MS = 180_000;

/** Brings one Application to what is assigned and keeps it there. Everything in it runs one after the other. */
export class Runner {
  readonly app: Application;
  private readonly options: RunnerOptions;
  private readonly budget = new HealBudget();
  private readonly bundles: BundleReader;
  private readonly dirty = new Set<string>();
  private compareAll = true;
  private order: SyncOrder | undefined;
  private restored = false;
  private failures = 0;
  private notBefore = 0;
  /** A terminated or refused sync is not begun again by itself: the payload that it was for. */
  private suppressed = '';
  private operation: AbortController | undefined;

  constructor(key: string, held: HeldAssignment, options: RunnerOptions) {
    this.app = new Application(key, held);
    this.options = options;
    this.bundles = new BundleReader(options);
  }

  /** Takes a newer assignment; a running sync of the old one ends. */
  assign(held: HeldAssignment): void {
    this.app.held = held;
    this.failures = 0;
    this.notBefore = 0;
    this.operation?.abort(new MusterError('precondition', 'superseded by a newer assignment'));
  }

  mark(key: string): void {
    this.dirty.add(key);
  }

  refresh(): void {
    this.compareAll = true;
  }

  /** Asks for a sync; one that waits already is answered as replaced. */
  sync(order: SyncOrder): void {
    this.order?.answer(new MusterError('conflict', 'replaced by a newer sync command'));
    this.order = order;
    this.suppressed = '';
    this.notBefore = 0;
  }

  /** Ends the running operation; false when there is none. */
  terminate(): boolean {
    if (!this.operation) return false;
    this.suppressed = this.app.held.payloadSha256.toString('hex');
    this.operation.abort(new MusterError('precondition', 'terminated'));
    return true;
  }

  /** One turn. Answers in how many milliseconds another is due by itself; undefined: when something happens. */
  async turn(signal: AbortSignal): Promise<number | undefined> {
    const { cluster } = this.options;
    try {
      if (!this.restored) await this.restore();
      if (this.app.leaving) return await this.leave(signal);
      const { held } = this.app;
      const desired = await this.load(signal);
      // What was read belongs to what was assigned then; a newer assignment begins anew.
      if (this.app.held !== held) return 0;
      if (this.order || this.syncDue()) await this.operate(desired, signal);
      if (this.app.held !== held) return 0;
      await this.compare(desired, signal);
      const pause = await heal(cluster, this.app, desired, this.budget, signal, () => this.save());
      this.app.comparisonError = '';
      return this.retryAfter(pause);
    } catch (thrown) {
      if (signal.aborted) return undefined;
      return this.failed(thrown);
    } finally {
      this.describe();
      this.options.changed(this.app);
    }
  }

  /** Looks at every object and answers what differs; for the diff command. */
  async differences(signal: AbortSignal): Promise<Map<string, Verdict>> {
    const { cluster } = this.options;
    const { desired } = await this.bundles.read(this.app.held, '', signal);
    const verdicts = new Map<string, Verdict>();
    const tell = (key: string, verdict: Verdict) => void verdicts.set(key, verdict);
    await judge(cluster, this.app, desired, desired.objects.keys(), signal, tell);
    return verdicts;
  }

  /** Tries again at once what failed, for example because another Application has let go of an object. */
  hurry(): void {
    this.notBefore = 0;
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
      this.compareAll = true;
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

  private syncDue(): boolean {
    const { app } = this;
    if (!app.automated || this.options.cluster.now() < this.notBefore) return false;
    if (this.suppressed === app.held.payloadSha256.toString('hex')) return false;
    if (!app.comparesAssigned) return false;
    if (app.applied.assignment !== assignmentDigest(app.assignment)) return true;
    // A sync of something else that failed half-way, then a return to what was applied before.
    if (app.operation?.phase === 'Failed' || app.operation?.phase === 'Error' || leftHalfWay(app))
      return true;
    // The same content under a newer version: nothing to do but to say so.
    const version = versionText(app.assignment.version!);
    if (app.applied.version !== version) app.applied.version = version;
    return false;
  }

  private async operate(desired: DesiredState, signal: AbortSignal): Promise<void> {
    const { app, order } = this;
    const { cluster, changed } = this.options;
    this.order = undefined;
    const held = app.held;
    const operation = new AbortController();
    this.operation = operation;
    beginOperation(app, order?.commandId ?? '', this.failures, cluster.now());
    changed(app);
    const either = AbortSignal.any([signal, operation.signal]);
    const prune = order ? order.prune : (app.assignment.syncPolicy?.prune ?? false);
    try {
      const request = { prune, dryRun: order?.dryRun ?? false, signal: either, intend: () => this.save() };
      const outcome = await sync(cluster, app, desired, request);
      const applied = outcome.phase === 'Succeeded' && !request.dryRun;
      this.failures = outcome.phase === 'Succeeded' ? 0 : this.failures + 1;
      if (applied) this.applied(held);
      endOperation(app, outcome, request.dryRun, cluster.now());
      await this.save();
      const { changed: count, pruned, dryRunMs, applyMs, phase } = outcome;
      const { message } = outcome;
      cluster.log.info(
        { application: app.key, phase, message, changed: count, pruned, dryRunMs, applyMs },
        'sync ended',
      );
      order?.answer(outcome);
    } catch (thrown) {
      if (signal.aborted) {
        // Not finished and not failed: the next start goes on. A command's outcome is then unknown, by its journal.
        throw thrown;
      }
      const error = operation.signal.aborted
        ? MusterError.from(operation.signal.reason)
        : MusterError.from(thrown);
      failOperation(app, error, operation.signal.aborted, cluster.now());
      order?.answer(error);
      if (!operation.signal.aborted) this.failures++;
      await this.save();
    } finally {
      this.operation = undefined;
      this.compareAll = true;
      if (this.failures > 0) this.bundles.forget();
      if (this.failures > 0) this.notBefore = cluster.now() + this.backoff();
    }
  }

  private applied(held: HeldAssignment): void {
    const { assignment } = held;
    this.app.applied = {
      digest: assignment.bundleDigest,
      version: versionText(assignment.version!),
      atMs: this.options.cluster.now(),
      assignment: assignmentDigest(assignment),
    };
  }

  private async compare(desired: DesiredState, signal: AbortSignal): Promise<void> {
    const { app } = this;
    const { cluster } = this.options;
    const known = await this.watch(desired, signal);
    const keys = this.compareAll
      ? new Set([...app.resources.keys(), ...desired.objects.keys(), ...this.dirty])
      : new Set(this.dirty);
    if (this.compareAll) for (const { key } of cluster.index.ownedBy(app.key)) keys.add(key);
    this.dirty.clear();
    const doubtful = triage(cluster, app, desired, keys, known);
    let told = 0;
    await judge(cluster, app, desired, doubtful, signal, (key, verdict) => {
      note(app, app.resources.get(key)!, desired.objects.get(key), verdict, cluster.now());
      told++;
    });
    this.compareAll = false;
    app.observedAtMs = cluster.now();
    if (told > 0) cluster.log.debug({ application: app.key, judged: told }, 'compared');
  }

  /**
   * Watches the kinds of the bundle and of what is left of earlier ones. Answers those (`group/Kind`) of which the
   * index knows all there is: only of them does absence mean something.
   */
  private async watch(desired: DesiredState, signal: AbortSignal): Promise<Set<string>> {
    const { cluster } = this.options;
    // A kind that is no longer served has no objects.
    const known = new Set<string>();
    const types = new Map(
      [...desired.objects.values()].flatMap(({ type }) => (type ? [[nameOf(type), type] as const] : [])),
    );
    for (const key of this.app.inventory.keys()) {
      const [group, kind] = key.split('/') as [string, string];
      if (types.has(`${group}/${kind}`)) continue;
      const type = await cluster.discovery.resolveKind(group, kind);
      if (type) types.set(nameOf(type), type);
      else known.add(`${group}/${kind}`);
    }
    const denied = new Set(desired.problems.map(({ key }) => key));
    const useful = [...types.values()].filter((type) => {
      if (cluster.namespaces.length > 0 && !type.namespaced) return false;
      return (
        denied.size === 0 ||
        ![...denied].some((key) => key.startsWith(`${nameOf(type)}/`)) ||
        cluster.index.isReady(type)
      );
    });
    await Promise.all(useful.map((type) => cluster.index.ready(type, signal)));
    for (const type of types.values()) if (cluster.index.isReady(type)) known.add(nameOf(type));
    return known;
  }

  private async leave(signal: AbortSignal): Promise<number | undefined> {
    const { app } = this;
    const { cluster, finished } = this.options;
    this.order?.answer(new MusterError('precondition', 'the Application is leaving this cluster'));
    this.order = undefined;
    const remove = app.assignment.action === Action.UNINSTALL;
    if (!app.operation || app.operation.phase !== 'Running')
      beginOperation(app, '', this.failures, cluster.now());
    if (remove) await uninstall(cluster, app, signal);
    else await orphan(cluster, app, signal);
    cluster.log.info(
      { application: app.key, action: remove ? 'uninstall' : 'orphan' },
      'tombstone carried out',
    );
    finished(app);
    return undefined;
  }

  private failed(thrown: unknown): number {
    const { app } = this;
    const error = MusterError.from(thrown);
    this.failures++;
    if (app.leaving) failOperation(app, error, false, this.options.cluster.now());
    else app.comparisonError = error.describe();
    this.compareAll = true;
    this.options.cluster.log.warn(
      { application: app.key, error: error.describe() },
      'this Application could not be brought up to date',
    );
    return this.backoff();
  }

  private describe(): void {
    const { app, budget } = this;
    const now = this.options.cluster.now();
    const paused = budget.paused(now);
    const heals =
      paused.length > 0 ? `put back too often, left alone for a while: ${paused.slice(0, 5).join(', ')}` : '';
    app.condition('SelfHealBackoff', heals, now);
    app.condition('ComparisonError', app.comparisonError, now);
    const hooks =
      app.hooks.length > 0 ? `hooks are not supported yet and were left out: ${app.hooks.join(', ')}` : '';
    app.condition('HookIgnored', hooks, now);
    for (const type of ['ProjectDenied', 'NamespaceDenied', 'InvalidManifest']) {
      const texts = app.problems.filter((each) => each.type === type).map(({ message }) => message);
      app.condition(type, texts.slice(0, 10).join('; '), now);
    }
    app.condition('Notice', app.assignment.notices.join('; '), now);
  }

  private async save(): Promise<void> {
    await this.options.records.saveApplied(this.app.key, this.app.record());
  }

  private retryAfter(pause: number | undefined): number | undefined {
    const { app } = this;
    const waits: number[] = [];
    if (pause !== undefined) waits.push(pause);
    if (this.dirty.size > 0 || this.order) waits.push(100);
    if (app.conditions.has('BundleUnavailable')) waits.push(this.backoff());
    const due = app.automated && app.applied.assignment !== assignmentDigest(app.assignment);
    if (due && this.suppressed !== app.held.payloadSha256.toString('hex')) {
      waits.push(Math.max(100, this.notBefore - this.options.cluster.now()));
    }
    return waits.length > 0 ? Math.min(...waits) : undefined;
  }

  private backoff(): number {
    const exponential = RETRY_FIRST_MS * 2 ** Math.min(Math.max(this.failures - 1, 0), 10);
    return Math.min(exponential, RETRY_LONGEST_MS) * (0.75 + Math.random() / 2);
  }
}

/** Whether an object was applied as another bundle has it, for example by a sync that failed later. */
function leftHalfWay(app: Application): boolean {
  for (const [key, hash] of app.desired ?? []) {
    const applied = app.inventory.get(key)?.applied;
    if (applied && applied !== hash) return true;
  }
  return false;
}
