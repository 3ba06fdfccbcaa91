import { randomUUID } from 'node:crypto';
import { MusterError } from '@muster/base';
import { describeKey, keyOf, parseKeyString } from '@muster/kube';
import type { OperationRecord, Records, RemovalRecord } from '../state/records.ts';
import type { Application } from './application.ts';
import type { Cluster } from './cluster.ts';
import { Deletion } from './deletion.ts';
import { type DesiredState, readDesired } from './desired.ts';
import { abandonHooks } from './hooks.ts';
import { failOperation, showProgress } from './operation.ts';
import type { SyncOutcome } from './outcome.ts';
import type { Owned } from './owned.ts';
import { awaitsConfirmation, orphan } from './removal.ts';
import { Sync } from './sync.ts';

export interface UninstallingOptions {
  cluster: Cluster;
  records: Records;
  save(): Promise<void>;
  changed(): void;
}

/** How often to look whether someone has confirmed, where nothing is heard. */
const CONFIRMED_EVERY_MS = 60_000;
/** How often to look whether what is being deleted is gone, where nothing is heard. */
const GONE_EVERY_MS = 5_000;
/** What is still there after so long is said to have failed, and waited for all the same. */
const GONE_WITHIN_MS = 10 * 60_000;

/**
 * Removes an Application with all that is its own: what says Delete=confirm first waits for someone; then the PreDelete
 * hooks of what was applied last, its objects in reverse order, its PostDelete hooks. Whoever terminates it stops it
 * until someone confirms, or, where only PostDelete hooks are left, ends it.
 */
export class Uninstalling {
  private readonly app: Application;
  private readonly options: UninstallingOptions;
  private sync: Sync | undefined;
  private deletion: Deletion | undefined;
  private stop = new AbortController();
  private lookAgainAt = 0;

  constructor(app: Application, options: UninstallingOptions) {
    this.app = app;
    this.options = options;
  }

  /**
   * Goes on as far as it can. Answers in how many milliseconds to look again; undefined: all is done. Throws
   * MusterError where a hook fails (nothing is deleted after a PreDelete hook has), or an object does not go; may be
   * repeated.
   */
  async step(signal: AbortSignal): Promise<number | undefined> {
    if (this.app.removal?.stopped) return this.showStopped();
    try {
      return await this.advance(AbortSignal.any([signal, this.stop.signal]));
    } catch (thrown) {
      // Where this process has to stop acting, another one goes on with what is written down.
      this.sync = undefined;
      this.deletion = undefined;
      if (signal.aborted || !this.stop.signal.aborted) throw thrown;
      return await this.terminated(signal);
    }
  }

  /** Ends what the removal does now; false when it is stopped already. */
  terminate(): boolean {
    if (this.app.removal?.stopped) return false;
    this.stop.abort(new MusterError('precondition', 'terminated'));
    return true;
  }

  /** Goes on with a removal that was stopped, without the PreDelete hooks that it was stopped in; false: it was not. */
  resume(): boolean {
    const { app } = this;
    if (!app.removal?.stopped) return false;
    const { stage } = app.removal;
    app.removal = {
      stage,
      operation: this.newRecord(),
      ...(stage === 'PreDelete' && { withoutHooks: true }),
    };
    return true;
  }

  /** The Application stays after all: hooks of a removal that had begun are let go. */
  async abandon(signal: AbortSignal): Promise<void> {
    const { app } = this;
    if (!app.removal) return;
    this.sync = undefined;
    this.deletion = undefined;
    this.stop = new AbortController();
    await abandonHooks(this.options.cluster, app, app.removal.operation, signal);
    app.removal = undefined;
    app.kept.clear();
    await this.options.save();
  }

  private async advance(signal: AbortSignal): Promise<number | undefined> {
    const { app } = this;
    signal.throwIfAborted();
    app.removal ??= { stage: 'PreDelete', operation: this.newRecord() };
    if (app.removal.stage === 'PreDelete') {
      const wait = await this.beforeDeletion(signal);
      if (wait !== undefined) return wait;
      await this.enter('objects');
    }
    if (app.removal.stage === 'objects') {
      this.deletion ??= new Deletion(this.options.cluster, app);
      const left = await this.deletion.step(signal);
      if (left.length > 0) return this.awaitDeletion(left);
      this.deletion = undefined;
      await orphan(this.options.cluster, app, signal);
      await this.enter('PostDelete');
    }
    const hooks = await this.hooks('PostDelete', signal);
    if (typeof hooks === 'number') return hooks;
    if (hooks?.phase === 'Failed') {
      const said = `all objects were deleted, but a PostDelete hook failed: ${hooks.message}`;
      throw await this.failedHook('PostDelete', `${said}; \`muster app terminate\` lets it go without`);
    }
    await orphan(this.options.cluster, app, signal);
    return undefined;
  }

  /** A number: what comes before the objects is not done. */
  private async beforeDeletion(signal: AbortSignal): Promise<number | undefined> {
    const { app } = this;
    const unconfirmed = this.sync ? 0 : await this.unconfirmed(signal);
    if (unconfirmed > 0) return this.awaitConfirmation(unconfirmed);
    if (app.removal!.withoutHooks) return undefined;
    const hooks = await this.hooks('PreDelete', signal);
    if (typeof hooks === 'number') return hooks;
    if (hooks?.phase === 'Failed')
      throw await this.failedHook('PreDelete', `nothing was deleted: ${hooks.message}`);
    return undefined;
  }

  /** The hooks of a stage are run anew the next time. */
  private async failedHook(stage: 'PreDelete' | 'PostDelete', message: string): Promise<MusterError> {
    this.app.removal = { stage, operation: this.newRecord(), failure: message };
    await this.options.save();
    return new MusterError('precondition', message);
  }

  private async terminated(signal: AbortSignal): Promise<number | undefined> {
    const { app } = this;
    const { cluster, save } = this.options;
    const { stage, operation } = app.removal ?? { stage: 'PreDelete' as const, operation: this.newRecord() };
    this.stop = new AbortController();
    await abandonHooks(cluster, app, operation, signal);
    if (stage === 'PostDelete') {
      cluster.log.warn({ application: app.key }, 'PostDelete hooks were terminated');
      await orphan(cluster, app, signal);
      return undefined;
    }
    app.removal = { stage, operation: this.newRecord(), stopped: true };
    await save();
    return this.showStopped();
  }

  private showStopped(): number {
    const { app } = this;
    if (app.operation?.phase !== 'Terminated')
      failOperation(
        app,
        new MusterError('precondition', stoppedText(app)!),
        true,
        this.options.cluster.now(),
      );
    this.options.changed();
    return CONFIRMED_EVERY_MS;
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
    const message = `${what} Delete=confirm: nothing is deleted until someone confirms`;
    const waitsFor = [...this.app.kept].flatMap(([key, { reason }]) => {
      const named = parseKeyString(key);
      return named ? [{ ...named, health: '', message: reason }] : [];
    });
    showProgress(this.app, message, Infinity, { step: 'PreDelete', waitsFor });
    this.options.changed();
    return CONFIRMED_EVERY_MS;
  }

  /** Throws MusterError `unavailable` where it has taken too long. */
  private awaitDeletion(left: Owned[]): number {
    const { app } = this;
    const { object } = left[0]!;
    const finalizers = (object.metadata.finalizers ?? []).join(', ');
    const more = left.length > 1 ? `, and ${left.length - 1} more` : '';
    const what = `${describeKey(keyOf(object))} to be gone, which waits for ${finalizers || 'the API server'}${more}`;
    if (this.options.cluster.now() > app.removal!.operation.startedAtMs + GONE_WITHIN_MS)
      throw new MusterError('unavailable', `still waiting for ${what}`);
    const waitsFor = left.map(({ object: each }) => {
      const { group, kind, namespace, name } = keyOf(each);
      const holders = (each.metadata.finalizers ?? []).join(', ') || 'the API server';
      return { group, kind, namespace, name, health: '', message: `is being deleted, waits for ${holders}` };
    });
    showProgress(app, `waiting for ${what}`, Infinity, { step: 'Delete', waitsFor });
    this.options.changed();
    return GONE_EVERY_MS;
  }

  private async enter(stage: RemovalRecord['stage']): Promise<void> {
    this.app.removal = { stage, operation: this.newRecord() };
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
      // Their deadline begins when they do, however long somebody was waited for before.
      if (Object.keys(operation.hooks).length === 0) operation.startedAtMs = cluster.now();
      const request = { operation, dryRun: false, removal: phase, signal, save, checkpoint: () => undefined };
      this.sync = new Sync(cluster, app, desired, request);
    }
    const outcome = await this.sync.step();
    if (!outcome) {
      showProgress(app, this.sync.message, this.sync.deadline, this.sync.shown);
      this.options.changed();
      return this.sync.waitMs;
    }
    this.sync = undefined;
    await abandonHooks(cluster, app, operation, signal);
    return outcome;
  }

  /** What was applied last, for its hooks. Undefined: nothing was, or its bundle is not here any more. */
  private async lastApplied(): Promise<DesiredState | undefined> {
    const { app } = this;
    const { cluster, records } = this.options;
    const plain = app.applied.digest ? await records.bundle(app.applied.digest) : undefined;
    if (!plain) return undefined;
    const { discovery, power } = cluster;
    const read = await readDesired(plain, { assignment: app.assignment, discovery, power });
    for (const { object } of read.hooks) app.hookKinds.add(`${groupOf(object.apiVersion)}/${object.kind}`);
    return { ...read, objects: new Map(), problems: [] };
  }

  private newRecord(): OperationRecord {
    const startedAtMs = this.options.cluster.now();
    return { id: randomUUID(), payload: '', startedAtMs, commandId: '', prune: false, hooks: {} };
  }
}

/** Why a removal that was terminated does not go on; undefined: it was not. */
export function stoppedText({ removal }: Application): string | undefined {
  if (!removal?.stopped) return undefined;
  const rest =
    removal.stage === 'PreDelete'
      ? 'nothing was deleted, nor is until someone confirms with `muster app confirm`, which leaves its PreDelete hooks out'
      : 'what is left stays until someone confirms with `muster app confirm`';
  return `the removal was terminated: ${rest}`;
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}
