import type { HeldAssignment } from '@muster/link';
import { Action, type Condition, type Drift, type Operation } from '@muster/proto/records';
import type { AppliedRecord, InventoryEntry, OperationRecord } from '../state/records.ts';

type AppliedHead = Omit<AppliedRecord, 'inventory' | 'hookKinds' | 'running' | 'suppressed'>;

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
  /** Hooks of phases that no sync runs. */
  leftOut: string[] = [];
  /** `group/Kind` of the hooks that may be in the cluster. */
  readonly hookKinds = new Set<string>();
  /** The operation that is under way, as it is found again by another process. */
  running: OperationRecord | undefined;
  /** The payload whose sync is not begun again by itself: it was terminated, or its hooks failed. */
  suppressed = '';
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
  }

  get assignment() {
    return this.held.assignment;
  }

  get leaving(): boolean {
    return this.assignment.action !== Action.APPLY;
  }

  get automated(): boolean {
    return this.assignment.syncPolicy?.automated ?? false;
  }

  get selfHeal(): boolean {
    return this.automated && (this.assignment.syncPolicy?.selfHeal ?? false);
  }

  /** Whether what is compared is the assigned bundle, not an earlier one while that cannot be had. */
  get comparesAssigned(): boolean {
    return this.desiredFor.endsWith(` ${this.assignment.bundleDigest}`);
  }

  /** Value of an option such as `Prune` in `Prune=false`; undefined when it is not there. */
  option(name: string): string | undefined {
    const prefix = `${name}=`;
    return this.assignment.syncPolicy?.options.find((each) => each.startsWith(prefix))?.slice(prefix.length);
  }

  restore(record: AppliedRecord): void {
    const { inventory, hookKinds = [], running, suppressed = '', ...applied } = record;
    this.applied = applied;
    this.running = running;
    this.suppressed = suppressed;
    for (const kind of hookKinds) this.hookKinds.add(kind);
    this.inventory.clear();
    for (const entry of inventory) this.inventory.set(entry.key, entry);
  }

  record(): AppliedRecord {
    const { applied, inventory, hookKinds, running, suppressed } = this;
    return {
      ...applied,
      inventory: [...inventory.values()],
      ...(hookKinds.size > 0 && { hookKinds: [...hookKinds] }),
      ...(running && { running }),
      ...(suppressed && { suppressed }),
    };
  }

  /** Sets or clears a condition; one of the same text keeps its time. */
  condition(type: string, message: string | undefined, nowMs: number): void {
    const known = this.conditions.get(type);
    if (!message) this.conditions.delete(type);
    else if (known?.message !== message) this.conditions.set(type, { type, message, sinceMs: BigInt(nowMs) });
  }
}
