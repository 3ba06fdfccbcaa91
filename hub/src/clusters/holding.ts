import type { ClusterRow } from './clusters.repository.ts';

/** A cluster that was silent for so long while it should be uninstalled is asked about again. */
export const LONG_SILENCE_MS = 24 * 3_600_000;

/** Why nothing may be sent to a cluster now, in words; undefined: all clear. */
export function holdingReason(
  cluster: Pick<ClusterRow, 'state' | 'removal_held_at'>,
  hub: { recovering: boolean; reason?: string },
): string | undefined {
  if (hub.recovering) return `the hub is in recovery: ${hub.reason ?? ''}`;
  switch (cluster.state) {
    case 'pending':
      return 'the cluster waits for an approval';
    case 'recovered':
      return 'the hub had forgotten this cluster; it waits for an approval';
    case 'removing':
      if (!cluster.removal_held_at) return undefined;
      return 'the cluster was to be uninstalled and came back after a long silence; the removal waits for a new confirmation';
    case 'active':
      return undefined;
  }
}

/** Whether an uninstall that was asked for long ago has to be confirmed again, now that the cluster is back. */
export function needsNewConfirmation(
  cluster: Pick<
    ClusterRow,
    'state' | 'remove_mode' | 'last_seen_at' | 'removal_requested_at' | 'removal_held_at'
  >,
  now: Date,
): boolean {
  if (cluster.state !== 'removing' || cluster.remove_mode !== 'uninstall' || cluster.removal_held_at)
    return false;
  const heard = cluster.last_seen_at?.getTime() ?? 0;
  const asked = cluster.removal_requested_at?.getTime() ?? 0;
  return now.getTime() - Math.max(heard, asked) > LONG_SILENCE_MS;
}
