import { randomUUID } from 'node:crypto';
import { MusterError } from '@muster/base';
import type { OperationRecord, Records, RemovalRecord } from '../state/records.ts';
import type { Application } from './application.ts';
import type { Cluster } from './cluster.ts';
import { type DesiredState, readDesired } from './desired.ts';
import { abandonHooks } from './hooks.ts';
import { showProgress } from './operation.ts';
import type { SyncOutcome } from './outcome.ts';
import { awaitsConfirmation, orphan, uninstall } from './removal.ts';
import { Sync } from './sync.ts';

export interface UninstallingOptions {
  cluster: Cluster;
  records: Records;
  save(): Promise<void>;
  changed(): void;
}

/** How often to look whether someone has confirmed, where nothing is heard. */
const CONFIRMED_EVERY_MS = 60_000;

/**
 * Removes an Application with all that is its own: what says Delete=confirm first waits for someone; then the PreDelete
 * hooks of what was applied last, its objects in reverse order, its PostDelete hooks.
 */
export class Uninstalling {
  private readonly app: Application;
  private readonly options: UninstallingOptions;
  private sync: Sync | undefined;
  private lookAgainAt = 0;

  constructor(app: Application, options: UninstallingOptions) {
    this.app = app;
    this.options = options;
  }

  /**
   * Goes on as far as it can. Answers in how many milliseconds to look again; undefined: all is done. Throws
   * MusterError where a PreDelete hook fails (nothing is deleted then), or an object does not go; may be repeated.
   */
  async step(signal: AbortSignal): Promise<number | undefined> {
    const { app } = this;
    const { cluster } = this.options;
    app.removal ??= { stage: 'PreDelete', operation: newRecord(cluster.now()) };
    if (app.removal.stage === 'PreDelete') {
      const unconfirmed = this.sync ? 0 : await this.unconfirmed(signal);
      if (unconfirmed > 0) return this.awaitConfirmation(unconfirmed);
      const hooks = await this.hooks('PreDelete', signal);
      if (typeof hooks === 'number') return hooks;
      if (hooks?.phase === 'Failed') {
        app.removal = undefined;
        throw new MusterError('precondition', `nothing was deleted: ${hooks.message}`);
      }
      await this.enter('objects');
    }
    if (app.removal.stage === 'objects') {
      await uninstall(cluster, app, signal);
      await this.enter('PostDelete');
    }
    const hooks = await this.hooks('PostDelete', signal);
    if (typeof hooks === 'number') return hooks;
    if (hooks?.phase === 'Failed') {
      // There is nothing left that it could protect, and nobody who could be told later.
      cluster.log.warn({ application: app.key, message: hooks.message }, 'a PostDelete hook failed');
    }
    await orphan(cluster, app, signal);
    return undefined;
  }

  /** The Application stays after all: hooks of a removal that had begun are let go. */
  async abandon(signal: AbortSignal): Promise<void> {
    const { app } = this;
    if (!app.removal) return;
    this.sync = undefined;
    await abandonHooks(this.options.cluster, app, app.removal.operation, signal);
    app.removal = undefined;
    app.kept.clear();
    await this.options.save();
  }

  /** How many objects ask for a confirmation. Looked at seldom while nobody confirms: it reads all of them. */
  private async unconfirmed(signal: AbortSignal): Promise<number> {
    const { app } = this;
    const { cluster } = this.options;
    const asking = [...app.kept].filter(([key, { uid }]) => !app.isConfirmed(key, uid));
    if (asking.length > 0 && cluster.now() < this.lookAgainAt) return asking.length;
    this.lookAgainAt = cluster.now() + CONFIRMED_EVERY_MS;
    return awaitsConfirmation(cluster, app, signal);
  }

  private awaitConfirmation(count: number): number {
    const what = count === 1 ? 'one object says' : `${count} objects say`;
    showProgress(this.app, `${what} Delete=confirm: nothing is deleted until someone confirms`, Infinity);
    this.options.changed();
    return CONFIRMED_EVERY_MS;
  }

  private async enter(stage: RemovalRecord['stage']): Promise<void> {
    this.app.removal = { stage, operation: newRecord(this.options.cluster.now()) };
    await this.options.save();
  }

  /** Runs the hooks of one side. A number: they go on, and are to be looked at again in so many milliseconds. */
  private async hooks(
    phase: 'PreDelete' | 'PostDelete',
    signal: AbortSignal,
  ): Promise<number | SyncOutcome | undefined> {
    const { app } = this;
    const { cluster, save } = this.options;
    const { operation } = app.removal!;
    if (!this.sync) {
      const desired = await this.lastApplied();
      if (!desired?.hooks.length) return undefined;
      const request = { operation, dryRun: false, removal: phase, signal, save, checkpoint: () => undefined };
      this.sync = new Sync(cluster, app, desired, request);
    }
    try {
      const outcome = await this.sync.step();
      if (!outcome) {
        showProgress(app, this.sync.message, this.sync.deadline);
        this.options.changed();
        return this.sync.waitMs;
      }
      this.sync = undefined;
      await abandonHooks(cluster, app, operation, signal);
      return outcome;
    } catch (thrown) {
      // This process has to stop acting: another one goes on with what is written down.
      this.sync = undefined;
      throw thrown;
    }
  }

  /** What was applied last, for its hooks. Undefined: nothing was, or its bundle is not here any more. */
  private async lastApplied(): Promise<DesiredState | undefined> {
    const { app } = this;
    const { cluster, records } = this.options;
    const plain = app.applied.digest ? await records.bundle(app.applied.digest) : undefined;
    if (!plain) return undefined;
    const { discovery, power } = cluster;
    const { hooks } = await readDesired(plain, { assignment: app.assignment, discovery, power });
    for (const { object } of hooks) app.hookKinds.add(`${groupOf(object.apiVersion)}/${object.kind}`);
    return { objects: new Map(), hooks, problems: [] };
  }
}

function newRecord(nowMs: number): OperationRecord {
  return { id: randomUUID(), payload: '', startedAtMs: nowMs, commandId: '', prune: false, hooks: {} };
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
