import type {
  PlanError,
  PlanGroup,
  PlanObject,
  PlanRemoval,
  PlanResult,
  PlannedApplication,
} from '@muster/api';
import { type ChangeGroup, ChangeGroups, type ObjectChange } from '@muster/kube';

/** What a plan says of one Application. */
export interface PlannedChange {
  application: PlannedApplication;
  change: 'added' | 'changed';
  /** Of the Application itself; undefined: its specification stays. */
  specification: ObjectChange | undefined;
  objects: readonly ObjectChange[];
  /** What may stand in the changes for no other reason than whose they are. */
  names: readonly string[];
}

export interface PlannedRemoval {
  application: PlannedApplication;
  action: 'orphan' | 'uninstall';
  held: string | undefined;
  graceSeconds: number;
}

/** Something that would be wrong: with a set or project, or with an Application. */
export interface PlannedProblem {
  object: string;
  application?: PlannedApplication;
  type: string;
  message: string;
  severity: 'error' | 'warning';
  /** It is so now. */
  already: boolean;
}

/** Bounds of an answer. */
export interface ReportLimits {
  members: number;
  groups: number;
}

const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const MAX_TEXT_BYTES = 6 * 1024 * 1024;
const MAX_LINES = 2000;
const MAX_LINE = 2000;
const MAX_ERRORS = 500;

type Change = ObjectChange & { specification: boolean };

/** Gathers what a plan finds and makes its answer, within bounds: what is left out is counted. */
export class PlanReport {
  readonly #groups = {
    added: new ChangeGroups<PlannedApplication>(MAX_KEPT_BYTES),
    changed: new ChangeGroups<PlannedApplication>(MAX_KEPT_BYTES),
  };
  readonly #removals = new Map<string, { removal: PlannedRemoval; members: PlannedApplication[] }>();
  readonly #problems = new Map<string, { problem: PlannedProblem; members: PlannedApplication[] }>();
  readonly #clusters = new Set<string>();
  readonly notices: string[] = [];
  readonly counts = { added: 0, changed: 0, removed: 0, held: 0, unchanged: 0, sets: 0, renders: 0 };

  change({ application, change, specification, objects, names }: PlannedChange): void {
    const changes: Change[] = [
      ...(specification ? [{ ...specification, specification: true }] : []),
      ...objects.map((one) => ({ ...one, specification: false })),
    ];
    this.counts[change]++;
    this.#touch(application);
    this.#groups[change].add(application, changes, names);
  }

  removal(removal: PlannedRemoval): void {
    this.counts.removed++;
    if (removal.held) this.counts.held++;
    this.#touch(removal.application);
    const { application, ...rest } = removal;
    const key = JSON.stringify([application.set, rest]);
    const known = this.#removals.get(key);
    if (known) known.members.push(application);
    else this.#removals.set(key, { removal, members: [application] });
  }

  /** The same problem of several Applications is one. */
  problem(problem: PlannedProblem): void {
    const { application, object, type, message, severity, already } = problem;
    const key = JSON.stringify([application ? '' : object, type, message, severity, already]);
    const known = this.#problems.get(key);
    if (!known) this.#problems.set(key, { problem, members: application ? [application] : [] });
    else if (application) known.members.push(application);
  }

  #touch({ cluster }: PlannedApplication): void {
    if (cluster) this.#clusters.add(cluster);
  }

  result(limits: ReportLimits): PlanResult {
    const errors = [...this.#problems.values()].map(
      ({ problem, members }): PlanError => ({
        object: problem.object,
        type: problem.type,
        message: problem.message,
        severity: problem.severity,
        already: problem.already,
        ...someOf(members, limits.members),
      }),
    );
    const weight = (one: PlanError) => (one.severity === 'error' ? 0 : 2) + (one.already ? 1 : 0);
    errors.sort((a, b) => weight(a) - weight(b) || b.applications - a.applications);
    const { groups, more } = this.#writtenGroups(limits);
    return {
      summary: {
        ...this.counts,
        clusters: this.#clusters.size,
        errors: errors.filter((one) => one.severity === 'error' && !one.already).length,
      },
      groups,
      moreGroups: more,
      removals: [...this.#removals.values()]
        .map(
          ({ removal, members }): PlanRemoval => ({
            ...(removal.application.set ? { set: removal.application.set } : {}),
            action: removal.action,
            ...(removal.held ? { held: removal.held } : {}),
            graceSeconds: removal.graceSeconds,
            ...someOf(members, limits.members),
          }),
        )
        .sort((a, b) => b.applications - a.applications),
      errors: errors.slice(0, MAX_ERRORS),
      moreErrors: Math.max(0, errors.length - MAX_ERRORS),
      notices: [...new Set(this.notices)],
    };
  }

  #writtenGroups(limits: ReportLimits): { groups: PlanGroup[]; more: number } {
    const all = (['changed', 'added'] as const).flatMap((change) =>
      this.#groups[change].groups().map((group) => ({ change, group })),
    );
    let left = MAX_TEXT_BYTES;
    const groups = all.slice(0, limits.groups).map(({ change, group }): PlanGroup => {
      const objects = group.changes.map((one) => objectOf(one as Change));
      const bytes = objects.reduce((sum, one) => sum + one.text.length, 0);
      const fits = bytes <= left;
      if (fits) left -= bytes;
      return {
        change,
        alike: group.alike,
        added: group.added,
        removed: group.removed,
        objects: fits ? objects : [],
        omitted: group.omitted || !fits,
        ...someOf(sorted(group), limits.members),
      };
    });
    return { groups, more: all.length - groups.length };
  }
}

/** The first stays the first: the changes are shown as its own. */
function sorted({ members: [first, ...rest] }: ChangeGroup<PlannedApplication>): PlannedApplication[] {
  const nameOf = (one: PlannedApplication) => `${one.namespace}/${one.name}`;
  return [first!, ...rest.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))];
}

function someOf(members: readonly PlannedApplication[], most: number) {
  return {
    applications: members.length,
    clusters: new Set(members.flatMap((one) => one.cluster ?? [])).size,
    members: members.slice(0, most),
    more: Math.max(0, members.length - most),
  };
}

/** A change as it is answered: its text cut to what anybody reads. */
export function objectOf({ text, ...rest }: ObjectChange & { specification: boolean }): PlanObject {
  const lines = text.split('\n');
  const shown = lines
    .slice(0, MAX_LINES)
    .map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)} …` : line));
  return { ...rest, text: shown.join('\n'), moreLines: Math.max(0, lines.length - MAX_LINES) };
}
