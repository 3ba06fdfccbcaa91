import type { Report, ReportAck } from '@muster/proto';
import type { ApplicationGone, ApplicationStatus, ResourceStatus } from '@muster/proto/records';
import { applicationKey } from './version.ts';

/** Reports that may be on their way at once; later ones are merged until one is acknowledged. */
const WINDOW = 4;

/**
 * The agent's reports: numbered, kept until acknowledged, merged while they wait, so that a long silence of the
 * hub costs one report an Application and no more. Pure: returns the reports to send.
 */
export class ReportOutbox {
  readonly instanceId: string;
  private readonly everything: () => ApplicationStatus[];
  private next = 1n;
  private inFlight: Report[] = [];
  private statuses = new Map<string, ApplicationStatus>();
  private gone = new Map<string, ApplicationGone>();
  private snapshotDue = true;
  private open = false;
  /** First unacknowledged number at the last heartbeat, and for how many heartbeats it has been that. */
  private waitingFor = 0n;
  private beats = 0;

  /** @param everything complete statuses of all that is held, for snapshots. */
  constructor(instanceId: string, everything: () => ApplicationStatus[]) {
    this.instanceId = instanceId;
    this.everything = everything;
  }

  add(statuses: readonly ApplicationStatus[]): Report[] {
    for (const status of statuses) {
      const key = applicationKey(status);
      const waiting = this.statuses.get(key);
      this.statuses.set(key, waiting ? mergeStatus(waiting, status) : status);
      this.gone.delete(key);
    }
    return this.flush();
  }

  addGone(gone: ApplicationGone): Report[] {
    const key = applicationKey(gone);
    this.statuses.delete(key);
    this.gone.set(key, gone);
    return this.flush();
  }

  /** A session is open; the hub has stored this instance's reports up to `last`. */
  opened(last: bigint): Report[] {
    this.open = true;
    return this.resumeAfter(last);
  }

  closed(): void {
    this.open = false;
  }

  acknowledged(ack: ReportAck): Report[] {
    if (ack.instanceId !== this.instanceId) return [];
    if (ack.resend) return this.resumeAfter(ack.sequence);
    this.inFlight = this.inFlight.filter((r) => r.sequence > ack.sequence);
    return this.flush();
  }

  /** A heartbeat passed. What stays unacknowledged for two of them is sent again. */
  beat(): Report[] {
    const first = this.inFlight[0]?.sequence ?? 0n;
    this.beats = first !== 0n && first === this.waitingFor ? this.beats + 1 : 0;
    this.waitingFor = first;
    if (!this.open || this.beats < 2) return [];
    this.beats = 0;
    return [...this.inFlight];
  }

  /** True when all that was added has been acknowledged. */
  get drained(): boolean {
    return (
      this.inFlight.length === 0 && this.statuses.size === 0 && this.gone.size === 0 && !this.snapshotDue
    );
  }

  private resumeAfter(last: bigint): Report[] {
    if (last >= this.next) this.next = last + 1n; // a hub that stored more than we remember: never reuse a number
    this.inFlight = this.inFlight.filter((r) => r.sequence > last);
    const first = this.inFlight[0];
    const continues = first ? first.sequence === last + 1n || first.snapshot : this.next === last + 1n;
    if (continues && !this.snapshotDue) return [...this.inFlight, ...this.flush()];
    // The hub misses what we no longer have: everything again, in one report. What the unacknowledged reports said
    // of removals is kept; the rest is in the snapshot.
    for (const report of this.inFlight) for (const g of report.gone) this.gone.set(applicationKey(g), g);
    this.inFlight = [];
    this.snapshotDue = true;
    return this.flush();
  }

  private flush(): Report[] {
    if (!this.open || this.inFlight.length >= WINDOW) return [];
    if (!this.snapshotDue && this.statuses.size === 0 && this.gone.size === 0) return [];
    const snapshot = this.snapshotDue;
    const report: Report = {
      instanceId: this.instanceId,
      sequence: this.next,
      snapshot,
      applications: snapshot ? this.everything() : [...this.statuses.values()],
      gone: [...this.gone.values()],
    };
    this.next += 1n;
    this.statuses.clear();
    this.gone.clear();
    this.snapshotDue = false;
    this.inFlight.push(report);
    return [report];
  }
}

/** The newer status, with the resource changes of both. */
export function mergeStatus(older: ApplicationStatus, newer: ApplicationStatus): ApplicationStatus {
  if (newer.resourcesComplete) return newer;
  const resources = new Map<string, ResourceStatus>(older.resources.map((r) => [resourceKey(r), r]));
  const removed = new Set(older.removedResources);
  for (const key of newer.removedResources) {
    resources.delete(key);
    removed.add(key);
  }
  for (const resource of newer.resources) {
    const key = resourceKey(resource);
    resources.set(key, resource);
    removed.delete(key);
  }
  return {
    ...newer,
    resources: [...resources.values()],
    resourcesComplete: older.resourcesComplete,
    removedResources: older.resourcesComplete ? [] : [...removed],
  };
}

/** `group/Kind/namespace/name`: what a resource is called in reports. */
export function resourceKey(of: { group: string; kind: string; namespace: string; name: string }): string {
  return `${of.group}/${of.kind}/${of.namespace}/${of.name}`;
}
