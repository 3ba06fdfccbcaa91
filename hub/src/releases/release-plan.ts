import { isPin, shortCommit } from '@muster/api/commits';
import type { Target } from './targets.ts';

/** What is different between the targets of two releases; undefined: nothing that a cluster would see. */
export function releaseDifference(
  previous: readonly Target[],
  next: readonly Target[],
): ReleaseDifference | undefined {
  const before = new Map(previous.map((target) => [keyOf(target), target]));
  const changed = next.filter((target) => {
    const old = before.get(keyOf(target));
    return !old || old.digest !== target.digest || old.removed !== target.removed;
  });
  const kept = new Set(next.map(keyOf));
  // A removed target that is gone has been finished: that is no change.
  const dropped = previous.filter((target) => target.digest !== null && !kept.has(keyOf(target)));
  if (changed.length === 0 && dropped.length === 0) return undefined;
  return { changed, before };
}

export interface ReleaseDifference {
  changed: Target[];
  before: Map<string, Target>;
}

/** The commits of a target's sources in their order; none for a removal. */
export function commitsOf({ commit, commits }: Pick<Target, 'commit' | 'commits'>): string[] {
  return commits ?? (commit === null ? [] : [commit]);
}

/** The first target that comes from another commit than before, and which of its sources that is. */
export function movedIn({
  changed,
  before,
}: ReleaseDifference): { target: Target; position: number } | undefined {
  for (const target of changed) {
    const old = before.get(keyOf(target));
    const known = old ? commitsOf(old) : [];
    const position = commitsOf(target).findIndex((commit, i) => commit !== known[i]);
    if (position >= 0) return { target, position };
  }
  return undefined;
}

/** Why a release came to be, for its history: a commit, a removal, a specification. */
export function causeOf(
  difference: ReleaseDifference,
  revisionOf: (applicationId: string, position: number) => string | undefined,
): string {
  const { changed, before } = difference;
  const moved = movedIn(difference);
  if (moved) {
    const revision = revisionOf(moved.target.applicationId, moved.position);
    const commit = commitsOf(moved.target)[moved.position]!;
    const what = isPin(commit) ? '' : 'commit ';
    return `${what}${shortCommit(commit)}${revision ? ` on ${revision}` : ''}`;
  }
  if (changed.length > 0 && changed.every((target) => target.removed)) {
    return changed.length === 1
      ? `removal of ${changed[0]!.name}`
      : `removal of ${changed.length} Applications`;
  }
  const added = changed.filter((target) => !before.has(keyOf(target)));
  if (added.length > 0)
    return added.length === 1 ? `new Application ${added[0]!.name}` : `${added.length} new Applications`;
  return 'specification';
}

function keyOf(target: Target): string {
  return `${target.applicationId}/${target.clusterId}`;
}
