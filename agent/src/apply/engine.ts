import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import type { HealthSetting } from '@muster/kube';
import { compareVersions, type HeldAssignment } from '@muster/link';
import type { ApplicationStatus, HealthCheck } from '@muster/proto/records';
import { kindOf } from '../observe/live-index.ts';
import type { LiveObject } from '../observe/live-object.ts';
import { StatusDeltas } from '../observe/status.ts';
import type { Records } from '../state/records.ts';
import type { Application } from './application.ts';
import type { Cluster } from './cluster.ts';
import type { SyncOrder } from './operations.ts';
import { Runner } from './runner.ts';

export interface EngineOptions {
  cluster: Cluster;
  records: Records;
  fetchBundle(digest: string, size: number, signal: AbortSignal): Promise<void>;
  /** Statuses to report. */
  report(statuses: ApplicationStatus[]): void;
  /** A tombstone has been carried out. */
  finished(app: Application): void;
  signal: AbortSignal;
}

interface Slot {
  runner: Runner;
  running: boolean;
  again: boolean;
  timer: NodeJS.Timeout | undefined;
  dueAt: number;
  /** Turns that have ended. */
  turns: number;
}

/** Turns that run at once; each has its own bound on requests. */
const MAX_TURNS = 4;
const EVENT_PAUSE_MS = 100;
const REPORT_PAUSE_MS = 200;

/** All Applications of this cluster: who is due, who runs, what is reported. Level-triggered by key. */
export class Engine {
  private readonly options: EngineOptions;
  private readonly slots = new Map<string, Slot>();
  private readonly deltas = new StatusDeltas();
  private readonly unreported = new Set<string>();
  private readonly waiting: Slot[] = [];
  private turns = 0;
  private acting: AbortController | undefined;
  private reportTimer: NodeJS.Timeout | undefined;

  constructor(options: EngineOptions) {
    this.options = options;
    options.signal.addEventListener('abort', () => this.setActing(false), { once: true });
  }

  /** Takes what an Application should be, from the link or from the store. */
  assign(key: string, held: HeldAssignment): void {
    const slot = this.slots.get(key);
    if (slot) {
      slot.runner.assign(held);
      this.useChecks();
      return this.schedule(slot, 0);
    }
    const { cluster, records, fetchBundle } = this.options;
    const runner = new Runner(key, held, {
      cluster,
      records,
      fetchBundle,
      changed: (app) => this.tell(app.key),
      finished: (app) => this.finish(app),
    });
    const made: Slot = { runner, running: false, again: false, timer: undefined, dueAt: 0, turns: 0 };
    this.slots.set(key, made);
    this.useChecks();
    this.schedule(made, 0);
  }

  /** Users' checks are the hub's, the same in every assignment; while they change the newest assignment's hold. */
  private useChecks(): void {
    const assignments = [...this.slots.values()]
      .map(({ runner }) => runner.app.assignment)
      .filter(({ healthChecks }) => healthChecks.length > 0)
      .sort((a, b) => compareVersions(a.version!, b.version!));
    const settings = new Map<string, HealthSetting>();
    for (const { healthChecks } of assignments)
      for (const check of healthChecks) settings.set(check.kind, settingOf(check));
    this.options.cluster.index.useChecks(settings);
  }

  /** Whether this process may act; false ends what runs, as another agent may act from now on. */
  setActing(acting: boolean): void {
    if (!acting) {
      this.acting?.abort(new MusterError('precondition', 'this agent no longer acts'));
      this.acting = undefined;
      return;
    }
    if (this.acting || this.options.signal.aborted) return;
    this.acting = new AbortController();
    for (const slot of this.slots.values()) this.schedule(slot, 0);
  }

  /** Told by the index: wakes the Applications that an object concerns. */
  observed(key: string, before: LiveObject | undefined, after: LiveObject | undefined): void {
    const { claims, index } = this.options.cluster;
    const concerned = new Set([before?.owner, after?.owner, claims.ownerOf(key), ...index.wantedBy(key)]);
    for (const application of concerned) {
      const slot = application ? this.slots.get(application) : undefined;
      if (!slot) continue;
      slot.runner.mark(key);
      this.schedule(slot, EVENT_PAUSE_MS);
    }
  }

  runner(key: string): Runner | undefined {
    return this.slots.get(key)?.runner;
  }

  sync(key: string, order: SyncOrder): boolean {
    const slot = this.slots.get(key);
    if (!slot) return false;
    slot.runner.sync(order);
    this.schedule(slot, 0);
    return true;
  }

  /** Ends the running operation of an Application; false when there is none. */
  terminate(key: string): boolean {
    const slot = this.slots.get(key);
    if (!slot?.runner.terminate()) return false;
    this.schedule(slot, 0);
    return true;
  }

  /** As `Runner.confirm`; what waits for it goes on. */
  confirm(key: string, ...chosen: Parameters<Runner['confirm']>): ReturnType<Runner['confirm']> {
    const slot = this.slots.get(key);
    if (!slot) return { objects: [], resumed: false };
    const confirmed = slot.runner.confirm(...chosen);
    if (confirmed.resumed || confirmed.objects.length > 0) this.schedule(slot, 0);
    return confirmed;
  }

  /** Compares all of an Application again and reports all of it. */
  refresh(key: string): boolean {
    const slot = this.slots.get(key);
    if (!slot) return false;
    slot.runner.refresh();
    this.deltas.forget(key);
    this.schedule(slot, 0);
    return true;
  }

  /** Lets a bundle that could not be had be tried again at once. */
  hubIsBack(): void {
    for (const slot of this.slots.values()) {
      if (slot.runner.app.conditions.has('BundleUnavailable') || !slot.runner.app.desired)
        this.schedule(slot, 0);
    }
  }

  /** Digests of the bundles that were applied last. */
  appliedDigests(): Set<string> {
    return new Set([...this.slots.values()].map(({ runner }) => runner.app.applied.digest));
  }

  /** Waits until every Application has been looked at once since the start, but no longer than this. */
  async settled(timeout: number): Promise<void> {
    const deadline = Date.now() + timeout;
    const pending = () => [...this.slots.values()].some(({ turns }) => turns === 0);
    while (pending() && Date.now() < deadline && !this.options.signal.aborted) await sleep(50);
  }

  /** Complete statuses, for a snapshot. */
  everything(): ApplicationStatus[] {
    return [...this.slots.values()].map(({ runner }) => this.deltas.complete(runner.app));
  }

  /** The signal of the time in which this process may act; undefined when it may not. */
  get actingSignal(): AbortSignal | undefined {
    return this.acting?.signal;
  }

  private schedule(slot: Slot, delay: number): void {
    if (slot.running) {
      slot.again = true;
      return;
    }
    const dueAt = Date.now() + delay;
    if (slot.timer && slot.dueAt <= dueAt) return;
    clearTimeout(slot.timer);
    slot.dueAt = dueAt;
    slot.timer = setTimeout(() => {
      slot.timer = undefined;
      if (!this.waiting.includes(slot)) this.waiting.push(slot);
      this.next();
    }, delay);
  }

  private next(): void {
    while (this.acting && this.turns < MAX_TURNS) {
      const slot = this.waiting.shift();
      if (!slot) return;
      void this.turn(slot, this.acting.signal);
    }
  }

  private async turn(slot: Slot, signal: AbortSignal): Promise<void> {
    const { runner } = slot;
    slot.running = true;
    this.turns++;
    let again: number | undefined;
    try {
      again = await runner.turn(signal);
    } finally {
      slot.running = false;
      slot.turns++;
      this.turns--;
    }
    if (this.slots.get(runner.app.key) === slot) {
      if (slot.again) this.schedule(slot, EVENT_PAUSE_MS);
      else if (again !== undefined) this.schedule(slot, again);
      slot.again = false;
    }
    this.stopUselessWatches();
    this.next();
  }

  private finish(app: Application): void {
    this.slots.delete(app.key);
    this.unreported.delete(app.key);
    this.deltas.forget(app.key);
    this.options.cluster.claims.releaseOthers(app.key, () => false);
    this.options.cluster.index.want(app.key, []);
    this.options.finished(app);
    for (const slot of this.slots.values()) {
      if (!slot.runner.app.conditions.has('SharedResource')) continue;
      slot.runner.hurry();
      this.schedule(slot, EVENT_PAUSE_MS);
    }
  }

  private stopUselessWatches(): void {
    // While one is being worked on, what it needs is not settled.
    if (this.turns > 0 || this.waiting.length > 0) return;
    const kinds = new Set<string>();
    for (const { runner } of this.slots.values()) {
      if (!runner.app.desired) return;
      for (const key of runner.app.desired.keys()) kinds.add(kindOf(key));
      for (const key of runner.app.inventory.keys()) kinds.add(kindOf(key));
      for (const kind of runner.app.hookKinds) kinds.add(kind);
    }
    this.options.cluster.index.keepOnly(kinds);
  }

  private tell(key: string): void {
    this.unreported.add(key);
    this.reportTimer ??= setTimeout(() => {
      this.reportTimer = undefined;
      const statuses: ApplicationStatus[] = [];
      for (const each of this.unreported) {
        const app = this.slots.get(each)?.runner.app;
        // A snapshot before the first look would say Unknown for what is well known at the hub.
        const status = app && this.deltas.changes(app);
        if (status) statuses.push(status);
      }
      this.unreported.clear();
      if (statuses.length > 0) this.options.report(statuses);
    }, REPORT_PAUSE_MS);
  }
}

function settingOf({ lua, useOpenLibs, cel }: HealthCheck): HealthSetting {
  if (lua !== '') return { 'health.lua': lua, 'health.lua.useOpenLibs': useOpenLibs };
  return { 'health.cel': cel };
}
