import { sha256 } from '@muster/base';
import { Assignment } from '@muster/proto/records';

/**
 * Digest of what an assignment asks for: lower-case hex SHA-256 of its encoding without hub, cluster, version,
 * release and revision. Equal digests mean nothing changes for the cluster. Map fields are encoded in key order.
 */
export function assignmentDigest(assignment: Assignment): string {
  const policy = assignment.syncPolicy && {
    ...assignment.syncPolicy,
    managedNamespaceLabels: sorted(assignment.syncPolicy.managedNamespaceLabels),
    managedNamespaceAnnotations: sorted(assignment.syncPolicy.managedNamespaceAnnotations),
  };
  const content = Assignment.fromPartial({
    ...assignment,
    syncPolicy: policy,
    hubId: '',
    clusterId: '',
    version: undefined,
    releaseId: '',
    revision: '',
  });
  return sha256(Assignment.encode(content).finish());
}

function sorted(map: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
