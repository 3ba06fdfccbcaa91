import { MusterError } from '@muster/base';
import {
  type SyncTask,
  describeKey,
  keyOf,
  keyString,
  planSync,
  parseKeyString,
  pruneDecision,
  ownerOf,
} from '@muster/kube';
import type { KubeObject } from '@muster/kube';
import { safeMessage, KubeError } from '../kube/errors.ts';
import type { ApiType } from '../kube/discovery.ts';
import { nameOf } from '../observe/live-index.ts';
import type { Application } from './application.ts';
import { type Cluster, PARALLEL, pathOfObject, readLive } from './cluster.ts';
import { eachOf } from './concurrency.ts';
import type { Desired, DesiredState } from './desired.ts';
import { waitForDefinitions } from './definitions.ts';
import { forApply } from './ignored.ts';
import { ensureNamespace, namespaceIsThere } from './namespace.ts';
import { groupsOf, propagationOf } from './ordering.ts';
import { ownerNow, remember } from './ownership.ts';

export interface SyncRequest {
  prune: boolean;
  /** Only find out what would happen. */
  dryRun: boolean;
  signal: AbortSignal;
  /** Makes the inventory durable: called before objects are made that it did not name. */
  intend(): Promise<void>;
}

/** How a sync ended. `errors` is by object key, in words without secrets. */
export interface SyncOutcome {
  phase: 'Succeeded' | 'Failed';
  message: string;
  errors: Map<string, string>;
  /** Objects of another Application, by key: left alone. */
  conflicts: Map<string, string>;
  /** Trying again by itself may help. */
  transient: boolean;
  changed: number;
  pruned: number;
  /** Milliseconds of the dry run and of the rest. */
  dryRunMs: number;
  applyMs: number;
}

/**
 * Makes the cluster hold what a bundle says: everything is tried as a dry run first, so that an error touches
 * nothing; then applied group by group in order; then what left the bundle is pruned.
 */
export async function sync(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  request: SyncRequest,
): Promise<SyncOutcome> {
  const run = new SyncRun(cluster, app, desired, request);
  try {
    await run.prepare();
    if (run.failed) return run.outcome('nothing was changed');
    await run.dryRun();
    if (run.failed) return run.outcome('the dry run failed, nothing was changed');
    if (request.dryRun) return run.outcome('dry run');
    await run.apply();
    if (!run.failed) await run.prune();
    return run.outcome('');
  } catch (thrown) {
    request.signal.throwIfAborted();
    run.fail('', thrown);
    return run.outcome('');
  }
}

class SyncRun {
  private readonly cluster: Cluster;
  private readonly app: Application;
  private readonly desired: DesiredState;
  private readonly request: SyncRequest;
  private readonly errors = new Map<string, string>();
  private readonly conflicts = new Map<string, string>();
  private readonly changed = new Set<string>();
  private transient = true;
  private pruned = 0;
  private makesNamespace = false;
  private readonly started: number;
  private dryRunEnded = 0;

  constructor(cluster: Cluster, app: Application, desired: DesiredState, request: SyncRequest) {
    this.cluster = cluster;
    this.app = app;
    this.desired = desired;
    this.request = request;
    this.started = cluster.now();
  }

  get failed(): boolean {
    return this.errors.size > 0;
  }

  fail(key: string, thrown: unknown): void {
    const kind = key.split('/')[1] ?? '';
    this.errors.set(key, safeMessage(kind, thrown));
    if (
      thrown instanceof KubeError
        ? !thrown.transient
        : !(thrown instanceof MusterError && thrown.code === 'unavailable')
    ) {
      this.transient = false;
    }
  }

  /** Refuses what may not be, finds what another Application holds, and what needs no work. */
  async prepare(): Promise<void> {
    const { cluster, app, desired, request } = this;
    for (const { key, message } of desired.problems) this.fail(key, new MusterError('forbidden', message));
    if (this.failed) return;
    await this.watchKinds();
    this.makesNamespace = await this.mustMakeNamespace();
    for (const each of desired.objects.values()) {
      const owner = ownerNow(cluster, app, each.key);
      if (owner !== app.key) {
        this.conflicts.set(each.key, owner);
        continue;
      }
      if (!this.unchanged(each)) this.changed.add(each.key);
    }
    request.signal.throwIfAborted();
  }

  async dryRun(): Promise<void> {
    const { cluster, app, request } = this;
    const destination = app.assignment.destinationNamespace;
    const coming = new Set<string>();
    for (const { object } of this.desired.objects.values()) {
      if (object.kind === 'Namespace' && keyOf(object).group === '') coming.add(object.metadata.name ?? '');
    }
    const tried = this.tasks().flatMap((task) => {
      if (task.unknownType) {
        this.fail(keyString(keyOf(task.target!)), new MusterError('not-found', unknownKind(task.target!)));
        return [];
      }
      const each = this.wanted(task);
      return each?.type && !task.skipDryRun ? [each] : [];
    });
    if (this.failed) {
      this.transient = false;
      return;
    }
    await eachOf(tried, PARALLEL, async ({ key, object, type }) => {
      const { namespace = '' } = object.metadata;
      try {
        const manifest = await forApply(cluster, app, object, type!, request.signal);
        await cluster.client.apply(pathOfObject(type!, object), manifest, { ...this.as(), dryRun: true });
      } catch (thrown) {
        request.signal.throwIfAborted();
        // The namespace is made by this very sync, so the API server cannot try.
        const namespaceComes = coming.has(namespace) || (this.makesNamespace && namespace === destination);
        if (thrown instanceof KubeError && thrown.notFound && namespaceComes) return;
        this.fail(key, thrown);
      }
    });
    this.dryRunEnded = cluster.now();
  }

  async apply(): Promise<void> {
    const { cluster, app, request } = this;
    await this.intend();
    if (this.makesNamespace) await ensureNamespace(cluster, app, request.signal);
    for (const group of groupsOf(this.tasks())) {
      await eachOf(group, PARALLEL, async (task) => {
        request.signal.throwIfAborted();
        const each = this.wanted(task)!;
        try {
          await this.applyOne(each);
        } catch (thrown) {
          request.signal.throwIfAborted();
          this.fail(each.key, thrown);
        }
      });
      if (this.failed) return;
      const definitions = group.flatMap(({ target }) =>
        target?.kind === 'CustomResourceDefinition' ? [target] : [],
      );
      if (definitions.length > 0) {
        await waitForDefinitions(cluster, definitions, request.signal);
        await this.resolveNewTypes();
      }
    }
  }

  /** Deletes what the Application still has in the cluster and its bundle no longer names. */
  async prune(): Promise<void> {
    const { cluster, app, desired, request } = this;
    if (!request.prune || (desired.objects.size === 0 && !app.assignment.syncPolicy?.allowEmpty)) return;
    const live: KubeObject[] = [];
    const types = new Map<string, ApiType>();
    for (const { key, version } of cluster.index.ownedBy(app.key)) {
      if (desired.objects.has(key)) continue;
      const [group, kind] = key.split('/') as [string, string];
      const type = await cluster.discovery.resolve(group ? `${group}/${version}` : version, kind);
      const object = type && (await readLive(cluster, type, key, request.signal, this.as().impersonate));
      if (!object || !this.isOurs(object)) continue;
      types.set(key, type);
      live.push(object);
    }
    const options = { prune: true, defaultPrune: app.option('Prune') };
    for (const { live: object } of planSync([], live, { namespace: '' }).filter(
      (task) => task.action === 'prune',
    )) {
      const key = keyString(keyOf(object!));
      if (pruneDecision(object!, options).action !== 'remove') continue;
      try {
        const { uid } = object!.metadata;
        const propagation = propagationOf(app, object!.kind);
        await cluster.client.remove(pathOfObject(types.get(key)!, object!), {
          ...this.as(),
          uid,
          propagation,
        });
        app.inventory.delete(key);
        this.pruned++;
      } catch (thrown) {
        request.signal.throwIfAborted();
        this.fail(key, thrown);
      }
    }
  }

  outcome(note: string): SyncOutcome {
    const { errors, conflicts, cluster, started } = this;
    const ended = cluster.now();
    const failed = errors.size > 0 || conflicts.size > 0;
    const dryRunMs = (this.dryRunEnded || ended) - started;
    return {
      phase: failed ? 'Failed' : 'Succeeded',
      message: failed
        ? describeFailure(errors, conflicts, note)
        : describeSuccess(this.changed.size, this.pruned, note),
      errors,
      conflicts,
      transient: failed && this.transient,
      changed: this.changed.size,
      pruned: this.pruned,
      dryRunMs,
      applyMs: this.dryRunEnded ? ended - this.dryRunEnded : 0,
    };
  }

  /** Names what will be made, so that it is found again should the agent die in the middle. */
  private async intend(): Promise<void> {
    const { app, desired, changed } = this;
    let added = false;
    for (const key of changed) {
      if (app.inventory.has(key)) continue;
      const { version } = keyOf(desired.objects.get(key)!.object);
      app.inventory.set(key, { key, version, uid: '', applied: '', live: '' });
      added = true;
    }
    if (added) await this.request.intend();
  }

  private async applyOne(each: Desired): Promise<void> {
    const { cluster, app, request } = this;
    if (!each.type) throw new MusterError('not-found', unknownKind(each.object));
    const manifest = await forApply(cluster, app, each.object, each.type, request.signal);
    const { object } = await cluster.client.apply(pathOfObject(each.type, each.object), manifest, this.as());
    remember(app, each, object);
    cluster.index.put(object);
  }

  /** The plan of what is to be applied, in order. */
  private tasks(): SyncTask[] {
    const { app, desired } = this;
    const targets: KubeObject[] = [];
    for (const key of this.changed) targets.push(desired.objects.get(key)!.object);
    const known = new Set<string>();
    for (const { type } of desired.objects.values()) if (type) known.add(nameOf(type));
    return planSync(targets, [], {
      namespace: '',
      isKnown: (type) => known.has(nameOf(type)),
      skipHooks: true,
      skipDryRunOnMissingResource: app.option('SkipDryRunOnMissingResource') === 'true',
    });
  }

  private wanted(task: SyncTask): Desired | undefined {
    return task.target && this.desired.objects.get(keyString(keyOf(task.target)));
  }

  private unchanged({ key, hash }: Desired): boolean {
    const entry = this.app.inventory.get(key);
    const live = this.cluster.index.get(key);
    return (
      entry !== undefined &&
      live !== undefined &&
      !live.deleting &&
      entry.applied === hash &&
      entry.live === live.hash
    );
  }

  private async watchKinds(): Promise<void> {
    const { cluster, desired, request } = this;
    const types = new Map<string, ApiType>();
    for (const { type } of desired.objects.values()) if (type) types.set(nameOf(type), type);
    await Promise.all([...types.values()].map((type) => cluster.index.ready(type, request.signal)));
  }

  private async resolveNewTypes(): Promise<void> {
    for (const each of this.desired.objects.values()) {
      each.type ??= await this.cluster.discovery.resolve(each.object.apiVersion, each.object.kind);
    }
    await this.watchKinds();
  }

  private async mustMakeNamespace(): Promise<boolean> {
    const { cluster, app, desired, request } = this;
    const namespace = app.assignment.destinationNamespace;
    if (!app.assignment.syncPolicy?.createNamespace || !namespace) return false;
    if (desired.objects.has(`/Namespace//${namespace}`)) return false;
    return !(await namespaceIsThere(cluster, app, request.signal));
  }

  private isOurs(object: KubeObject): boolean {
    const owner = ownerOf(object);
    return owner !== undefined && `${owner.namespace}/${owner.name}` === this.app.key;
  }

  private as() {
    return { impersonate: this.app.assignment.impersonate || undefined, signal: this.request.signal };
  }
}

function unknownKind(object: KubeObject): string {
  return `the cluster does not know ${object.kind} of ${object.apiVersion} (${describeKey(keyOf(object))})`;
}

function describeSuccess(changed: number, pruned: number, note: string): string {
  const text = `${changed} applied${pruned > 0 ? `, ${pruned} pruned` : ''}`;
  return note ? `${note}: ${text}` : text;
}

function describeFailure(errors: Map<string, string>, conflicts: Map<string, string>, note: string): string {
  const lines = [...errors].map(([key, message]) => (key ? `${key}: ${message}` : message));
  for (const [key, owner] of conflicts) lines.push(conflictText(key, owner));
  const shown = lines.slice(0, 5).join('; ');
  const more = lines.length > 5 ? ` (and ${lines.length - 5} more)` : '';
  return `${note ? `${note}: ` : ''}${shown}${more}`;
}

/** Says whose an object is, in words: `ConfigMap shop/settings belongs to Application argocd/web`. */
export function conflictText(key: string, owner: string): string {
  const object = parseKeyString(key);
  return `${object ? describeKey(object) : key} belongs to Application ${owner}`;
}
