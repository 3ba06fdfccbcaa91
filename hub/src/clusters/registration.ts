import { Registration } from '@muster/proto';
import type { Labels } from '../store/schema.ts';

export interface RegisteredCluster {
  id: string;
  name: string;
  server: string;
  labels: Labels;
  annotations: Labels;
  local: boolean;
  kube_system_uid: string | null;
  registration_revision: bigint;
}

/** The address of a cluster that nobody gave another one. */
export function defaultServer(name: string): string {
  return `muster://${name}`;
}

/** The bytes of a cluster's registration, to be signed; equal rows give equal bytes. */
export function encodeRegistration(cluster: RegisteredCluster, hubId: string): Uint8Array {
  return Registration.encode({
    hubId,
    clusterId: cluster.id,
    name: cluster.name,
    server: cluster.server,
    labels: sorted(cluster.labels),
    annotations: sorted(cluster.annotations),
    kubeSystemUid: cluster.kube_system_uid ?? '',
    local: cluster.local,
    revision: cluster.registration_revision,
  }).finish();
}

function sorted(map: Labels): Labels {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
