import {
  type Content,
  contentOf,
  type Hold,
  keyOfTarget,
  type Target,
  type TargetIds,
} from '../releases/targets.ts';

/** A target that is to hold something else. */
export interface Moving {
  target: Target;
  from: Content | null;
  /** It joined: `from` is what the others come from, and what it goes back to. */
  joined?: boolean;
  /** It holds this already, by a rollout that did not see it proven; `from` is what it held before that. */
  given?: boolean;
}

/** What a new release is to each of its targets. Removals are no matter of rollouts. */
export interface ReleaseMoves {
  /** Targets that hold, or are to hold, something else now. */
  moving: Moving[];
  /** Targets that hold what the release says already, and are held no longer. */
  arrived: Target[];
  /** Nothing but new targets: whatever was there before is as it was. */
  onlyNew: boolean;
}

/**
 * Compares a release with what is held now. `again`: a newer commit, which takes the place of what was held back; any
 * other change moves only what it changes. `earlier`: what targets that no release had are to hold before their turn comes.
 */
export function releaseMoves(input: {
  previous: { id: string; targets: readonly Target[] } | undefined;
  next: readonly Target[];
  holds: readonly Hold[];
  again: boolean;
  earlier?: ReadonlyMap<string, Content>;
}): ReleaseMoves {
  const before = new Map((input.previous?.targets ?? []).map((target) => [keyOfTarget(target), target]));
  const held = new Map(input.holds.map((hold) => [keyOfTarget(hold), hold]));
  const moves: ReleaseMoves = { moving: [], arrived: [], onlyNew: before.size > 0 };
  for (const target of input.next) {
    if (target.digest === null) continue;
    const key = keyOfTarget(target);
    const old = before.get(key);
    const hold = held.get(key);
    const was = old && contentOf(old, input.previous!.id);
    const changed = was?.digest !== target.digest;
    if (changed && was) moves.onlyNew = false;
    const base = was || hold ? undefined : input.earlier?.get(key);
    const from = hold ? hold.content : (was ?? base ?? null);
    if (from?.digest === target.digest) {
      if (hold) moves.arrived.push(target);
    } else if (!hold || changed || input.again)
      moves.moving.push({ target, from, ...(base ? { joined: true } : {}) });
  }
  return moves;
}

/**
 * Targets of a release that hold it already, by rollouts that it takes the place of, and that did not prove it (`left`): they
 * have to prove it all the same, so that no stage passes for want of targets.
 */
export function givenMoves(
  released: readonly Target[],
  left: readonly (TargetIds & { target: { from: string | null; holds: string | null } })[],
  moving: readonly Moving[],
): Moving[] {
  const moved = new Set(moving.map(({ target }) => keyOfTarget(target)));
  const targets = new Map(released.map((target) => [keyOfTarget(target), target]));
  return left.flatMap((record): Moving[] => {
    const key = keyOfTarget(record);
    const target = targets.get(key);
    const { holds, from: digest } = record.target;
    if (!target || target.digest !== holds || moved.has(key)) return [];
    const from =
      digest === null ? null : { releaseId: null, digest, bundleDigest: null, commit: null, commits: null };
    return [{ target, from, given: true }];
  });
}
