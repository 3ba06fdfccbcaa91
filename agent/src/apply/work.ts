import { MusterError } from '@muster/base';
import {
  type ApplyOptions,
  type KubeObject,
  type LiveTask,
  type SyncTask,
  type TaskProgress,
  type ResourceSelector,
  applyOptionsOf,
  hooksOf,
  isSelected,
  keyOf,
  keyString,
  parseResourceSelector,
  taskId,
} from '@muster/kube';
import type { Foreign } from '@muster/proto/records';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError, safeMessage } from '../kube/errors.ts';
import { kindOf, nameOf } from '../observe/live-index.ts';
import type { OperationRecord } from '../state/records.ts';
import type { Application } from './application.ts';
import { type Cluster, isWatchable } from './cluster.ts';
import type { Desired, DesiredState } from './desired.ts';
import type { Standing } from './foreign.ts';
import { hookManifest } from './hooks.ts';
import { keyOfTask } from './plan.ts';
import type { Prunable } from './prune.ts';

export interface SyncRequest {
  /** The operation; an earlier process may have begun it. */
  operation: OperationRecord;
  /** Only find out what would happen. */
  dryRun: boolean;
  /** Run only these hooks, before or after the Application's objects are deleted. */
  removal?: 'PreDelete' | 'PostDelete';
  signal: AbortSignal;
  /** Makes inventory and operation durable: called before objects are made that they did not name. */
  save(): Promise<void>;
  /** Called before each wave; may abort the signal, for example because the release has been superseded. */
  checkpoint(): void;
}

/** All that one sync knows and has found out; preparation, dry run and waves share it. */
export class SyncWork {
  readonly cluster: Cluster;
  readonly app: Application;
  readonly desired: DesiredState;
  readonly request: SyncRequest;
  /** Why objects could not be applied, by key; '' for the sync as a whole. */
  readonly errors = new Map<string, string>();
  /** The Application that an object belongs to, by key. */
  readonly conflicts = new Map<string, string>();
  /** Objects that another tool tracks, by key: left alone. */
  readonly foreign = new Map<string, Foreign>();
  /** What stands under the name of an object that is to be taken over or made the Application's, by key. */
  readonly standing = new Map<string, Standing>();
  /** Keys of objects that are not as the bundle has them. */
  readonly changed = new Set<string>();
  readonly progress: Map<string, TaskProgress>;
  tasks: SyncTask[] = [];
  leaving: Prunable = { live: [], types: new Map(), held: new Map() };
  /** Trying again by itself may help. */
  transient = true;
  /** A hook was begun or something became unhealthy: not begun again by itself. */
  settled: boolean;
  pruned = 0;
  makesNamespace = false;
  readonly selectors: ResourceSelector[];
  private hookIds = new Set<string>();

  constructor(cluster: Cluster, app: Application, desired: DesiredState, request: SyncRequest) {
    this.cluster = cluster;
    this.app = app;
    this.desired = desired;
    this.request = request;
    this.progress = new Map(Object.entries(request.operation.hooks));
    this.settled = this.progress.size > 0;
    this.selectors = (request.operation.resources ?? []).flatMap((text) => parseResourceSelector(text) ?? []);
  }

  /** Whether the sync is of this object; one of some resources only leaves the others, and all hooks, alone. */
  readonly selects = (object: KubeObject): boolean =>
    this.selectors.length === 0 || (!hooksOf(object) && isSelected(this.selectors, keyOf(object)));

  get failed(): boolean {
    return this.errors.size > 0;
  }

  plan(tasks: SyncTask[]): void {
    this.tasks = tasks;
    this.hookIds = new Set(tasks.filter(({ hook }) => hook).map(taskId));
  }

  fail(key: string, thrown: unknown): void {
    this.errors.set(key, this.desired.mask(safeMessage(key.split('/')[1] ?? '', thrown)));
    const transient =
      thrown instanceof KubeError
        ? thrown.transient
        : thrown instanceof MusterError && thrown.code === 'unavailable';
    if (!transient) this.transient = false;
  }

  /** Notes how far a task is; of hooks it is kept in the operation's record. */
  note(id: string, state: TaskProgress): void {
    this.progress.set(id, state);
    if (this.hookIds.has(id)) this.request.operation.hooks[id] = state;
  }

  phaseOf(task: SyncTask): TaskProgress['phase'] | undefined {
    return this.progress.get(taskId(task))?.phase;
  }

  /** What a task applies; hooks get the name and the marks of this operation. */
  wanted({ hook, target }: SyncTask): Desired | undefined {
    if (!target) return undefined;
    const key = keyString(keyOf(target));
    if (!hook) return this.desired.objects.get(key);
    const { applicationNamespace: namespace, applicationName: name } = this.app.assignment;
    const object = hookManifest(target, { namespace, name }, this.request.operation.id);
    return { key, object, type: this.hookType(target), hash: '' };
  }

  /** What the cluster has of a task's object; undefined: nothing, or what this operation did not begin. */
  readonly live = (task: SyncTask): LiveTask | undefined => {
    const found = this.cluster.index.get(keyOfTask(task));
    if (!found) return undefined;
    if (task.action === 'prune' && found.uid !== task.live!.metadata.uid) return undefined;
    // What an earlier operation left there is not what this one has begun.
    const begun = this.progress.has(taskId(task));
    if (task.hook && begun && found.operation !== this.request.operation.id) return undefined;
    const health = {
      status: found.health as LiveTask['health']['status'],
      message: this.desired.mask(found.healthMessage),
    };
    return { deleting: found.deleting, health };
  };

  /** A message with the phase and wave that the sync is in. */
  where(message: string): string {
    const at = this.tasks.findLast((task) => this.progress.has(taskId(task)));
    return at && message ? `${at.phase}, wave ${at.wave}: ${message}` : message;
  }

  /** How many objects this sync takes over from another tool. */
  get adopting(): number {
    return [...this.standing.values()].filter(({ foreign }) => foreign).length;
  }

  /** Watches the kinds of the bundle and of what was applied before: a prune goes by what is seen. */
  async watchKinds(): Promise<void> {
    const { cluster, app, desired, request } = this;
    const types = new Map<string, ApiType>();
    for (const kind of new Set([...app.inventory.keys()].map(kindOf))) {
      const [group, name] = kind.split('/') as [string, string];
      const type = await cluster.discovery.resolveKind(group, name);
      if (type && isWatchable(cluster, type)) types.set(nameOf(type), type);
    }
    for (const { type } of [...desired.objects.values(), ...desired.hooks])
      if (type) types.set(nameOf(type), type);
    await Promise.all([...types.values()].map((type) => cluster.index.ready(type, request.signal)));
  }

  /** How an object is written. A hook took its predecessor's place before: nothing is there to be replaced. */
  how(object: KubeObject, hook: boolean): ApplyOptions {
    const { replace = false, force = false } = this.request.operation;
    const asked = { Replace: replace, Force: force, Validate: false };
    const how = applyOptionsOf(object, (option) => (asked[option] ? 'true' : this.app.option(option)));
    return hook ? { ...how, replace: false, force: false } : how;
  }

  private hookType({ apiVersion, kind }: KubeObject): ApiType | undefined {
    const same = ({ object }: { object: KubeObject }) =>
      object.apiVersion === apiVersion && object.kind === kind;
    return this.desired.hooks.find(same)?.type;
  }
}
