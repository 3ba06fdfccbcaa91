import type { Application } from '@muster/appset';
import type { OpenRollouts } from '../rollouts/open-rollouts.service.ts';
import type { StoredOperation } from '../status/bounds.ts';
import type { StatusFacts, WhyFacts } from './why-facts.ts';
import type { WhyRow } from './why.repository.ts';

/** What is known beside a target's own row. */
export interface Surroundings {
  rollouts: OpenRollouts;
  sources: readonly { url: string; revision: string; error: string }[];
  work: WhyFacts['work'];
  recovery: WhyFacts['recovery'];
  /** Opens the manifest; asked for only where it matters. */
  manifest: () => Application;
}

/** A target's row and what is around it, as the chain takes them. */
export function factsOf(row: WhyRow, around: Surroundings): WhyFacts {
  const { namespace, name, cluster_name: cluster } = row;
  const app = `${namespace}/${name}`;
  const owner = row.set_name ?? app;
  const blockers = cluster ? around.rollouts.blockersOf(`${app}@${cluster}`, row.hold_rollout) : [];
  const failing = row.conditions.find(({ type }) => type === 'SourceError');
  return {
    namespace,
    name,
    project: row.project,
    set: row.set_name,
    setConditions: row.set_conditions ?? [],
    sources: around.sources.map((one) => ({ ...one, since: failing ? new Date(failing.since) : null })),
    conditions: row.conditions,
    rendered: row.bundle_digest !== null,
    work: around.work,
    problem: row.problem === null ? null : { message: row.problem, since: row.problem_since! },
    rollout: blockers.length === 0 ? null : { owner, blockers },
    hold: holdOf(row),
    pin: pinOf(row),
    waits: row.waits && row.waits_since ? { on: row.waits, since: row.waits_since } : null,
    leaving: leavingOf(row),
    destination: row.destination,
    onHub: row.is_root && !row.cluster_name,
    cluster: clusterOf(row),
    recovery: around.recovery,
    assignment: assignmentOf(row),
    status: statusOf(row),
    ...saidOf(row),
    policy: policyOf(row, around.manifest),
    unhealthy: (row.unhealthy ?? []).map(({ kind = '', name: of = '', health = '', message = '' }) => ({
      name: `${kind}/${of}`,
      health,
      message,
    })),
    release: releaseOf(row),
  };
}

/** What it is at what it holds: that there is a newer release makes it no worse. */
function saidOf(row: WhyRow): Pick<WhyFacts, 'sync' | 'health'> {
  const { said_sync: sync, said_health: health } = row;
  const counts = !row.is_root && row.reports_current && !row.silent_since && sync !== null && health !== null;
  return counts ? { sync, health } : { sync: row.sync_now, health: row.health_now };
}

function policyOf(row: WhyRow, manifest: () => Application): WhyFacts['policy'] {
  // Ten thousand manifests are not opened to say that all is well.
  if (saidOf(row).sync !== 'OutOfSync') return { automated: true, selfHeal: true, prune: true };
  const automated = manifest().spec.syncPolicy?.automated;
  return {
    automated: automated != null && automated.enabled !== false,
    selfHeal: automated?.selfHeal === true,
    prune: automated?.prune === true,
  };
}

function releaseOf(row: WhyRow): WhyFacts['release'] {
  const held = row.is_held && row.held_number !== null;
  const [number, cause] = held ? [row.held_number, row.held_cause] : [row.release_number, row.release_cause];
  return number === null ? null : { label: labelOf(number, cause), commit: held ? null : row.commit };
}

function labelOf(number: bigint, cause: string | null): string {
  return `release ${number}${cause ? ` (${cause})` : ''}`;
}

function holdOf(row: WhyRow): WhyFacts['hold'] {
  if (!row.is_held) return null;
  return {
    reason: row.hold_reason ?? 'it is held back',
    since: row.held_since!,
    label: row.held_number === null ? null : labelOf(row.held_number, row.held_cause),
    empty: row.held_digest === null,
    ended:
      row.hold_phase === null
        ? null
        : { phase: row.hold_phase, label: row.hold_label ?? 'the newest release', failure: row.hold_failure },
  };
}

function pinOf(row: WhyRow): WhyFacts['pin'] {
  if (row.pinned_by === null) return null;
  return {
    by: row.pinned_by,
    reason: row.pin_reason ?? '',
    since: row.pinned_at!,
    until: row.pin_expires_at,
    label: row.held_number === null ? null : labelOf(row.held_number, row.held_cause),
  };
}

function leavingOf(row: WhyRow): WhyFacts['leaving'] {
  const at = row.leaving_at ?? row.tombstoned_at;
  if (!at) return null;
  return {
    at,
    action: row.leaving_action ?? 'orphan',
    held: row.held_reason,
    signedAt: row.tombstoned_at,
  };
}

function clusterOf(row: WhyRow): WhyFacts['cluster'] {
  if (!row.cluster_name) return null;
  return {
    name: row.cluster_name,
    state: row.cluster_state!,
    since: row.cluster_created_at!,
    lastSeen: row.last_seen_at,
    silentSince: row.silent_since,
  };
}

function assignmentOf(row: WhyRow): WhyFacts['assignment'] {
  if (!row.action) return null;
  return {
    action: row.action,
    signedAt: row.signed_at!,
    ackedAt: row.acked_at,
    refused: row.refused,
    current: row.wanted_digest === null || row.wanted_digest === row.assignment_digest,
  };
}

function statusOf(row: WhyRow): StatusFacts | null {
  if (!row.observed_at || !row.sync_since || !row.health_since) return null;
  return {
    current: row.reports_current,
    applied: row.applied_current,
    message: row.health_message ?? '',
    observedAt: row.observed_at,
    syncSince: row.sync_since,
    healthSince: row.health_since,
    conditions: row.status_conditions ?? [],
    operation: row.operation as StoredOperation | null,
  };
}
