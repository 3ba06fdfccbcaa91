import type { ClusterView } from '@muster/api';

/** Whether the hub can believe what it knows of a cluster. */
export type Connection =
  | { kind: 'connected' }
  | { kind: 'silent'; since: string | undefined }
  /** Waits for an approval: new, or it came back to a hub that lost its row. */
  | { kind: 'pending'; since: string | undefined; returned: boolean }
  | { kind: 'never' };

export function connectionOf(cluster: ClusterView): Connection {
  if (cluster.state === 'pending' || cluster.state === 'recovered') {
    return {
      kind: 'pending',
      since: cluster.waiting?.since ?? cluster.createdAt,
      returned: cluster.state === 'recovered',
    };
  }
  if (cluster.connection === 'never') return { kind: 'never' };
  if (cluster.connection === 'silent') return { kind: 'silent', since: cluster.silentSince };
  return { kind: 'connected' };
}
