import {
  type ObjectKey,
  type WindowDecision,
  parseKeyString,
  syncAllowed,
  syncAllowedOffline,
} from '@muster/kube';
import { assignmentDigest, type HeldAssignment, type HubTime } from '@muster/link';
import {
  Action,
  type Assignment,
  type Condition,
  type Drift,
  type Foreign,
  type Operation,
  SyncPolicy,
} from '@muster/proto/records';
import type {
  AppliedRecord,
  HeldObject,
  InventoryEntry,
  LastAssignment,
  OperationRecord,
  RemovalRecord,
} from '../state/records.ts';

type AppliedHead = Pick<AppliedRecord, 'digest' | 'version' | 'atMs' | 'assignment'>;

/** What is known of one resource of an Application. */
export interface Resource {
  key: string;
  version: string;
  sync: 'Synced' | 'OutOfSync' | 'Unknown';
  /** '' for kinds without a health check. */
  health: string;
  healthMessage: string;
  /** What is shown beside it. */
  message: string;
  /** Why it could not be applied the last time; '' when it could. */
  applyError: string;
  drift: Drift | undefined;
  requiresPruning: boolean;
  /** Why a guard keeps it though it is to be pruned; '': none does. */
  held: string;
  /** Another tool tracks it. */
  foreign: Foreign | undefined;
  /** Hash of the live object that `sync` was judged by. */
  judged: string;
}

/** One Application in this cluster: what it should be, what was applied, what was seen. Only the engine changes it. */
export class Application {
  /** `namespace/name`. */
  readonly key: string;
  held: HeldAssignment;
  /** Hash of each object of the assigned bundle; undefined while the bundle is not here. */
  desired: Map<string, string> | undefined;
  /** What the desired hashes were computed for: the payload of the assignment. */
  desiredFor = '';
  /** `group/Kind` of the hooks that may be in the cluster. */
  readonly hookKinds = new Set<string>();
  /** What was asked for before the Application began to leave: how its objects go. */
  last: LastAssignment | undefined;
  /** How far its removal is. */
  removal: RemovalRecord | undefined;
  /** The operation that is under way, as it is found again by another process. */
  running: OperationRecord | undefined;
  /** The payload whose sync is not begun again by itself: it was terminated, or its hooks failed. */
  suppressed = '';
  /** Objects that a guard keeps until someone confirms, by key. */
  readonly kept = new Map<string, HeldObject>();
  /** UIDs of objects that someone has confirmed may go, by key. */
  readonly confirmed = new Map<string, string>();
  problems: { key: string; message: string; type: string }[] = [];
  readonly inventory = new Map<string, InventoryEntry>();
  readonly resources = new Map<string, Resource>();
  applied: AppliedHead = { digest: '', version: '', atMs: 0, assignment: '' };
  operation: Operation | undefined;
  /** Condition texts by type, with the time each was first seen. */
  readonly conditions = new Map<string, Condition>();
  /** How objects were judged, by key, where there is something to say of it. */
  readonly judging = new Map<string, { problems: string[]; dryRunRefused: string }>();
  /** Why the comparison could not be made; '' when it could. */
  comparisonError = '';
  observedAtMs = 0;

  constructor(key: string, held: HeldAssignment) {
    this.key = key;
    this.held = held;
    this.assign(held);
  }

  /** What is assigned. A tombstone says little: the rest of it is as it was before. */
  get assignment(): Assignment {
    const { assignment } = this.held;
    if (assignment.action === Action.APPLY || !this.last) return assignment;
    const { destinationNamespace, impersonate, options } = this.last;
    return {
      ...assignment,
      destinationNamespace,
      // The tombstone says it too, for an agent that has lost its records.
      impersonate: impersonate || assignment.impersonate,
      syncPolicy: SyncPolicy.fromPartial({ options }),
    };
  }

  /** Takes a newer assignment. */
  assign(held: HeldAssignment): void {
    this.held = held;
    const { action, destinationNamespace, impersonate, syncPolicy } = held.assignment;
    if (action !== Action.APPLY) return;
    this.last = { destinationNamespace, impersonate, options: syncPolicy?.options ?? [] };
  }

  get leaving(): boolean {
    return this.held.assignment.action !== Action.APPLY;
  }

  get automated(): boolean {
    return this.assignment.syncPolicy?.automated ?? false;
  }

  get selfHeal(): boolean {
    return this.automated && (this.assignment.syncPolicy?.selfHeal ?? false);
  }

  /** Digest of what a sync of it applies; what only says when to sync is left out. */
  get content(): string {
    return contentDigest(this.assignment);
  }

  /** Whether the next sync takes over objects that another tool tracks. */
  get adopts(): boolean {
    if (!this.assignment.adopt) return false;
    return [...this.resources.values()].some(({ foreign }) => foreign?.adopting && !foreign.shared);
  }

  /** Whether what is compared is the assigned bundle, not an earlier one while that cannot be had. */
  get comparesAssigned(): boolean {
    return this.desiredFor.endsWith(` ${this.assignment.bundleDigest}`);
  }

  /** Whether the project's sync windows let a sync begin now, by the hub's clock; with a margin where that is not heard. */
  mayBegin(manual: boolean, { nowMs, heard }: HubTime): WindowDecision {
    const windows = this.assignment.project?.windows ?? [];
    if (windows.length === 0) return { allowed: true };
    // A rollback: until it is applied. Drift after that waits as any other does.
    if (this.assignment.despiteWindows && this.applied.assignment !== this.content) return { allowed: true };
    const read = windows.map((each) => ({ ...each, durationMs: Number(each.durationMs) }));
    return heard ? syncAllowed(read, nowMs, manual) : syncAllowedOffline(read, nowMs, manual);
  }

  /** Value of an option such as `Prune` in `Prune=false`; undefined when it is not there. */
  option(name: string): string | undefined {
    const prefix = `${name}=`;
    return this.assignment.syncPolicy?.options.find((each) => each.startsWith(prefix))?.slice(prefix.length);
  }

  restore(record: AppliedRecord): void {
    const { inventory, hookKinds = [], running, suppressed = '', held = {}, confirmed = {} } = record;
    if (this.leaving) this.last = record.last;
    this.removal = record.removal;
    const { digest, version, atMs, assignment } = record;
    this.applied = { digest, version, atMs, assignment };
    this.running = running;
    this.suppressed = suppressed;
    for (const kind of hookKinds) this.hookKinds.add(kind);
    for (const [key, object] of Object.entries(held)) this.kept.set(key, object);
    for (const [key, uid] of Object.entries(confirmed)) this.confirmed.set(key, uid);
    this.inventory.clear();
    for (const entry of inventory) this.inventory.set(entry.key, entry);
  }

  record(): AppliedRecord {
    const { applied, inventory, hookKinds, running, suppressed, kept, confirmed, last, removal } = this;
    return {
      ...applied,
      inventory: [...inventory.values()],
      ...(hookKinds.size > 0 && { hookKinds: [...hookKinds] }),
      ...(running && { running }),
      ...(suppressed && { suppressed }),
      ...(last && { last }),
      ...(removal && { removal }),
      ...(kept.size > 0 && { held: Object.fromEntries(kept) }),
      ...(confirmed.size > 0 && { confirmed: Object.fromEntries(confirmed) }),
    };
  }

  /** Whether someone has confirmed that this very object may go. */
  isConfirmed(key: string, uid: string | undefined): boolean {
    if (this.confirmed.has(key) && this.confirmed.get(key) === uid) return true;
    const approvedMs = Number(this.assignment.deletionApprovedMs);
    // A tombstone says so only where the removal itself was approved.
    if (this.leaving) return approvedMs > 0;
    const since = this.kept.get(key)?.sinceMs;
    return since !== undefined && approvedMs >= since;
  }

  /** Confirms that what is held back and chosen may go; answers what that is. */
  confirm(selects: (object: Omit<ObjectKey, 'version'>) => boolean): Omit<ObjectKey, 'version'>[] {
    return [...this.kept].flatMap(([key, { uid }]) => {
      const object = parseKeyString(key);
      if (!object || !selects(object)) return [];
      this.confirmed.set(key, uid);
      return [object];
    });
  }

  /** Notes what is held back and why; what was held before keeps its time. */
  keep(key: string, uid: string, reason: string, nowMs: number): void {
    const before = this.kept.get(key);
    const sinceMs = before?.uid === uid ? before.sinceMs : nowMs;
    this.kept.set(key, { uid, reason, sinceMs });
  }

  /** Sets or clears a condition; one of the same text keeps its time. */
  condition(type: string, message: string | undefined, nowMs: number): void {
    const known = this.conditions.get(type);
    if (!message) this.conditions.delete(type);
    else if (known?.message !== message) this.conditions.set(type, { type, message, sinceMs: BigInt(nowMs) });
  }
}

/** Digest of what an assignment makes a cluster hold: a change of the policy that only says when is no reason to sync. */
export function contentDigest(assignment: Assignment): string {
  const { syncPolicy } = assignment;
  const policy = syncPolicy && { ...syncPolicy, automated: false, selfHeal: false, retry: undefined };
  const project = assignment.project && { ...assignment.project, windows: [] };
  return assignmentDigest({
    ...assignment,
    notices: [],
    healthChecks: [],
    adopt: '',
    despiteWindows: false,
    syncPolicy: policy,
    project,
  });
}
