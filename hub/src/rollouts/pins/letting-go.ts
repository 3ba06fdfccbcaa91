/** What is known when a target is let go of. */
export interface LetGo {
  /** What it was pinned at. */
  digest: string;
  /** What the newest release of its owner says; null: its removal; undefined: the release does not name it. */
  newest: string | null | undefined;
  /** The open rollout that it takes part in. */
  memberOf: string | undefined;
  /** Open rollouts of its owner, oldest first. */
  open: readonly { id: string; phase: string; label: string }[];
  /** What others of its owner are held back by. */
  others: { rolloutId: string | null; reason: string } | undefined;
}

/** What a target holds once it is let go of: the newest release, or still what it was pinned at, until something ends that. */
export type Afterwards =
  | { kind: 'newest'; next: string }
  | { kind: 'held'; rolloutId: string | null; reason: string; next: string };

/** It gets what it would hold had nobody pinned it, and never a release before its turn. */
export function afterwards({ digest, newest, memberOf, open, others }: LetGo): Afterwards {
  if (newest === null || newest === undefined || newest === digest)
    return { kind: 'newest', next: 'it holds its newest release' };
  const held = (rolloutId: string | null, reason: string, next: string): Afterwards => ({
    kind: 'held',
    rolloutId,
    reason,
    next: `it keeps what it has: ${next}`,
  });
  const its = open.find(({ id }) => id === memberOf);
  if (its)
    return held(
      its.id,
      `its turn in the rollout of ${its.label} comes`,
      `its turn in the rollout of ${its.label} comes`,
    );
  const running = open.find(({ phase }) => phase === 'running');
  if (running)
    return held(running.id, 'it joined while a rollout runs', `it joins the rollout of ${running.label}`);
  const first = open[0];
  if (first)
    return held(
      first.id,
      `it waits for the rollout of ${first.label}`,
      `it waits for the rollout of ${first.label}`,
    );
  if (others)
    return held(others.rolloutId, others.reason, `its newest release is held back (${others.reason})`);
  return { kind: 'newest', next: 'it gets its newest release' };
}
