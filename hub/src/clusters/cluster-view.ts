import type { ClusterView } from '@muster/api';
import { describeAccepted, observesOnly } from '@muster/link';
import type { AgentLimits } from '@muster/proto';
import type { ClusterRow } from './clusters.repository.ts';
import type { EnrollmentRow } from './enrollments.repository.ts';
import type { BoundedFacts } from './facts.ts';
import { connectionOf } from './lease.ts';

/** A cluster as the API shows it, at a moment. */
export function clusterView(row: ClusterRow, waiting: EnrollmentRow | undefined, now: Date): ClusterView {
  const facts = row.facts as Partial<BoundedFacts>;
  const connection = connectionOf(row, now);
  return {
    name: row.name,
    id: row.id,
    server: row.server,
    labels: row.labels,
    annotations: row.annotations,
    local: row.local,
    state: row.state,
    connection: connection.kind,
    ...(connection.kind === 'silent' ? { silentSince: connection.since.toISOString() } : {}),
    ...time('lastSeenAt', row.last_seen_at),
    ...time('connectedAt', row.connected_at),
    ...(row.clock_offset_ms === null ? {} : { clockOffsetMs: Number(row.clock_offset_ms) }),
    ...(facts.kubernetesVersion ? { kubernetesVersion: facts.kubernetesVersion } : {}),
    ...(facts.agentVersion ? { agentVersion: facts.agentVersion } : {}),
    ...(facts.nodeCount === undefined ? {} : { nodeCount: facts.nodeCount }),
    ...(facts.platform ? { platform: facts.platform } : {}),
    namespaces: facts.namespaces ?? [],
    ...(facts.limits ? { limits: limitsView(facts.limits) } : {}),
    apiVersions: facts.apiVersions?.length ?? 0,
    keySetVersion: String(row.key_set_version),
    ...(row.kube_system_uid ? { kubeSystemUid: row.kube_system_uid } : {}),
    ...(row.cloned_uid && row.cloned_at
      ? { cloned: { uid: row.cloned_uid, at: row.cloned_at.toISOString() } }
      : {}),
    ...(waiting
      ? { waiting: { kubeSystemUid: waiting.kube_system_uid, since: waiting.created_at.toISOString() } }
      : {}),
    ...removal(row),
    createdAt: row.created_at.toISOString(),
    ...time('approvedAt', row.approved_at),
    ...(row.approved_by ? { approvedBy: row.approved_by } : {}),
  };
}

function limitsView(limits: AgentLimits): NonNullable<ClusterView['limits']> {
  const accepted = limits.verbs.length > 0 ? new Set(limits.verbs) : undefined;
  return { ...limits, accepts: describeAccepted(accepted), observeOnly: observesOnly(accepted) };
}

function removal(row: ClusterRow): Pick<ClusterView, 'removal'> {
  if (!row.remove_mode || !row.removal_requested_at) return {};
  const requestedAt = row.removal_requested_at.toISOString();
  return { removal: { mode: row.remove_mode, requestedAt, ...time('heldSince', row.removal_held_at) } };
}

function time<K extends string>(key: K, value: Date | null): { [P in K]?: string } {
  return (value ? { [key]: value.toISOString() } : {}) as { [P in K]?: string };
}
