import type { CompareReleases, PlannedApplication, ReleaseDiff, ReleaseDiffGroup } from '@muster/api';
import { ChangeGroups, type ObjectChange } from '@muster/kube';
import { objectOf } from '../plans/plan-report.ts';
import type { Comparison, SideTarget } from './sides.ts';

const MAX_KEPT_BYTES = 32 * 1024 * 1024;
const MAX_TEXT_BYTES = 6 * 1024 * 1024;
const CHANGES = ['changed', 'added', 'removed'] as const;
type Change = (typeof CHANGES)[number];

/** Gathers what is different and makes the answer: what is identical is said once, with all whom it concerns. */
export class DiffReport {
  readonly #groups = Object.fromEntries(
    CHANGES.map((change) => [change, new ChangeGroups<PlannedApplication>(MAX_KEPT_BYTES)]),
  ) as Record<Change, ChangeGroups<PlannedApplication>>;
  readonly #counts = { changed: 0, added: 0, removed: 0, unchanged: 0 };
  readonly #objects = { added: 0, changed: 0, removed: 0 };
  readonly #clusters = new Set<string>();
  readonly #query: Pick<CompareReleases, 'groups' | 'members' | 'stat'>;

  constructor(query: Pick<CompareReleases, 'groups' | 'members' | 'stat'>) {
    this.#query = query;
  }

  unchanged(comparisons: readonly Comparison[]): void {
    for (const { pairs } of comparisons) this.#counts.unchanged += pairs.length;
  }

  /** `objects` undefined: they differ, but were not looked at. */
  differs(comparison: Comparison, objects: readonly ObjectChange[] | undefined): void {
    const { before, after, pairs } = comparison;
    const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    this.#counts[change] += pairs.length;
    for (const one of objects ?? []) this.#objects[one.action] += pairs.length;
    for (const pair of pairs) {
      const target = (pair.after ?? pair.before)!;
      this.#clusters.add(target.cluster);
      if (objects) this.#groups[change].add(memberOf(target), objects, namesOf(target));
    }
  }

  result(): Pick<ReleaseDiff, 'same' | 'summary' | 'groups' | 'moreGroups'> {
    const { changed, added, removed } = this.#counts;
    const all = CHANGES.flatMap((change) =>
      this.#groups[change].groups().map((group) => ({ change, group })),
    );
    let left = MAX_TEXT_BYTES;
    const groups = all.slice(0, this.#query.groups).map(({ change, group }): ReleaseDiffGroup => {
      const objects = group.changes.map((one) => objectOf({ ...one, specification: false }));
      const bytes = objects.reduce((sum, one) => sum + one.text.length, 0);
      const fits = bytes <= left;
      if (fits) left -= bytes;
      const { members } = group;
      return {
        change,
        alike: group.alike,
        targets: members.length,
        clusters: new Set(members.map(({ cluster }) => cluster)).size,
        members: members.slice(0, this.#query.members),
        more: Math.max(0, members.length - this.#query.members),
        added: group.added,
        removed: group.removed,
        objects: !fits ? [] : this.#query.stat ? objects.map((one) => ({ ...one, text: '' })) : objects,
        omitted: group.omitted || !fits,
      };
    });
    return {
      same: changed + added + removed === 0,
      summary: { ...this.#counts, clusters: this.#clusters.size, objects: this.#objects },
      groups,
      moreGroups: all.length - groups.length,
    };
  }
}

function memberOf({ namespace, name, project, cluster }: SideTarget): PlannedApplication {
  return { namespace, name, project, cluster };
}

function namesOf({ cluster, name }: SideTarget): string[] {
  return [cluster, name];
}
