import type { FactEvent, Health, RolloutState, Target, TargetInput, Version } from '@muster/rollout';
import type { TargetFacts } from './facts.repository.ts';

const HEALTHS: ReadonlySet<string> = new Set<Health>([
  'Healthy',
  'Progressing',
  'Degraded',
  'Suspended',
  'Missing',
  'Unknown',
]);
/** It holds something of this rollout, and is watched. */
const WATCHED: ReadonlySet<Target['state']> = new Set([
  'assigned',
  'applied',
  'healthy',
  'done',
  'restoring',
]);

/** What a look at the rows tells a rollout that it does not know yet. Repeated, it tells nothing twice. */
export function factEvents(
  { targets }: RolloutState,
  facts: readonly TargetFacts[],
  joining: readonly TargetInput[],
): FactEvent[] {
  const events: FactEvent[] = joining.map((target) => ({ kind: 'joined', target }));
  for (const fact of facts) {
    const target = targets.get(fact.targetId);
    if (!target || target.state === 'gone') continue;
    if (fact.gone) events.push({ kind: 'left', target: target.id });
    else events.push(...aboutTarget(target, fact));
  }
  return events;
}

/** Agents that came back, and of which nothing was heard since: what was said before may be out of date. */
export function isUnheard({ targets }: RolloutState, facts: readonly TargetFacts[]): boolean {
  return facts.some(({ targetId, connected, heard }) => {
    const state = targets.get(targetId)?.state;
    return connected && !heard && state !== undefined && WATCHED.has(state);
  });
}

function aboutTarget(target: Target, fact: TargetFacts): FactEvent[] {
  const { id } = target;
  const events: FactEvent[] = [];
  if (fact.connected !== target.connected)
    events.push({ kind: fact.connected ? 'connected' : 'disconnected', target: id });
  if (fact.pinned !== null) {
    if (target.state !== 'pinned') events.push({ kind: 'pinned', target: id, reason: fact.pinned });
    return events;
  }
  if (target.state === 'pinned') {
    events.push({ kind: 'unpinned', target: id, holds: fact.holds });
    return events;
  }
  const { assigned, status } = fact;
  if (!WATCHED.has(target.state) || !assigned?.digest || assigned.digest !== target.holds) return events;
  let version = target.version;
  if (!version) {
    version = versionOf(assigned);
    events.push({ kind: 'signed', target: id, digest: assigned.digest, version });
  }
  if (!status || !fact.connected || !fact.heard) return events;
  const applied = versionOf(status);
  // Agents name bundles, not assignments: from the first version on that holds it, nothing else was signed.
  if (isOlder(applied, version) || status.appliedDigest !== assigned.bundleDigest) return events;
  events.push({
    kind: 'report',
    target: id,
    version: applied,
    digest: assigned.digest,
    health: HEALTHS.has(status.health) ? (status.health as Health) : 'Unknown',
    ...(status.message ? { message: status.message.slice(0, 500) } : {}),
    appliedAt: status.appliedAt.getTime(),
    observedAt: status.observedAt.getTime(),
  });
  return events;
}

export function versionOf(row: { epoch: bigint; generation: bigint }): Version {
  return { epoch: Number(row.epoch), generation: Number(row.generation) };
}

function isOlder(a: Version, b: Version): boolean {
  return a.epoch === b.epoch ? a.generation < b.generation : a.epoch < b.epoch;
}
