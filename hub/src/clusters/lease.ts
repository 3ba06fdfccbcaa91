/** What a cluster's lease says at a moment. */
export type Connection =
  | { kind: 'never' }
  | { kind: 'connected' }
  /** Unknown since `since`: the last moment it was heard plus its lease. */
  | { kind: 'silent'; since: Date };

/** As `store/lease.ts` says it in SQL. Computed at read time, so that a hub that was down does not call anybody silent who spoke meanwhile. */
export function connectionOf(
  cluster: { last_seen_at: Date | null; lease_seconds: number },
  now: Date,
): Connection {
  if (!cluster.last_seen_at) return { kind: 'never' };
  const until = new Date(cluster.last_seen_at.getTime() + cluster.lease_seconds * 1000);
  return until.getTime() >= now.getTime() ? { kind: 'connected' } : { kind: 'silent', since: until };
}
