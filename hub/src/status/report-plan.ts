import { applicationKey, mergeStatus } from '@muster/link';
import type { ApplicationGone, ApplicationStatus, Report } from '@muster/proto';

/** Where the report stream of a cluster stands. */
export interface Cursor {
  instanceId: string;
  sequence: bigint;
}

/** What to tell the agent about one report. */
export interface Answer {
  instanceId: string;
  /** All up to this one are stored. */
  sequence: bigint;
  /** A report is missing: send again from `sequence + 1`. */
  gap: boolean;
}

/** What a run of reports of one cluster comes to. */
export interface ReportPlan {
  cursor: Cursor | undefined;
  answers: Answer[];
  /** One status an Application, the newest, with the resource changes of all. */
  statuses: ApplicationStatus[];
  /** A snapshot was among them: whatever `statuses` does not name is no longer held. */
  snapshot: boolean;
  gone: ApplicationGone[];
  /** Nothing of it is new. */
  empty: boolean;
}

/**
 * Folds reports, in the order they came, into one write. Repeated ones are answered and not counted; after a gap only
 * a snapshot is taken, because it says everything again; another instance begins with its first report or a snapshot.
 */
export function planReports(stored: Cursor | undefined, reports: readonly Report[]): ReportPlan {
  let cursor = stored;
  let snapshot = false;
  const answers: Answer[] = [];
  const statuses = new Map<string, ApplicationStatus>();
  const gone = new Map<string, ApplicationGone>();
  for (const report of reports) {
    const { instanceId, sequence } = report;
    const last = cursor?.instanceId === instanceId ? cursor.sequence : 0n;
    if (sequence <= last) {
      answers.push({ instanceId, sequence: last, gap: false });
      continue;
    }
    if (sequence !== last + 1n && !report.snapshot) {
      answers.push({ instanceId, sequence: last, gap: true });
      continue;
    }
    if (report.snapshot) {
      snapshot = true;
      statuses.clear();
    }
    for (const status of report.applications) {
      const key = applicationKey(status);
      const before = statuses.get(key);
      statuses.set(key, before ? mergeStatus(before, status) : status);
      gone.delete(key);
    }
    for (const each of report.gone) {
      gone.set(applicationKey(each), each);
      statuses.delete(applicationKey(each));
    }
    cursor = { instanceId, sequence };
    answers.push({ instanceId, sequence, gap: false });
  }
  return {
    cursor,
    answers,
    statuses: [...statuses.values()],
    snapshot,
    gone: [...gone.values()],
    empty: cursor === stored,
  };
}
