import type { RolloutPolicy } from './policy.ts';
import type { Phase, ReleaseRef } from './types.ts';
import { hasEnded } from './work.ts';

/** What is known of an owner's rollout when a newer release comes. */
export interface Standing {
  id: string;
  phase: Phase;
  paused: boolean;
  to: ReleaseRef;
}

/** What a newer release does: begin now or wait for its turn, and which rollouts it takes the place of. */
export interface Admission {
  begin: 'now' | 'queued';
  /** Get `superseded`; those that are pending among them have never begun. */
  supersede: string[];
  reason: string;
}

/**
 * Decides about a newer release of an owner. At most one rollout of an owner runs. One that goes back is never cut short:
 * the newer release waits until the fleet is whole. One that failed has only been waiting for a newer release.
 */
export function admit(superseding: RolloutPolicy['superseding'], standing: readonly Standing[]): Admission {
  const open = standing.filter(({ phase }) => !hasEnded(phase));
  const pending = open.filter(({ phase }) => phase === 'pending').map(({ id }) => id);
  const failed = open.filter(({ phase }) => phase === 'failed').map(({ id }) => id);
  const goingBack = open.find(({ phase }) => phase === 'rolling-back');
  const running = open.find(({ phase }) => phase === 'running');
  // Only `queue` gives every release its turn.
  const replaced = superseding === 'queue' ? [] : pending;
  if (goingBack)
    return {
      begin: 'queued',
      supersede: replaced,
      reason: `${goingBack.to.label} is being taken back first`,
    };
  if (running && superseding === 'supersede')
    return {
      begin: 'now',
      supersede: [running.id, ...pending],
      reason: `it takes the place of ${running.to.label}`,
    };
  if (running) return { begin: 'queued', supersede: replaced, reason: `${running.to.label} is on its way` };
  if (superseding === 'queue' && pending.length > 0)
    return { begin: 'queued', supersede: failed, reason: `${pending.length} before it wait for their turn` };
  return { begin: 'now', supersede: [...failed, ...replaced], reason: 'nothing is on its way' };
}

/** Whose turn it is once nothing runs: the oldest that waits (they are given oldest first); what failed makes room for it. */
export function nextInTurn(standing: readonly Standing[]): { id: string; supersede: string[] } | undefined {
  const open = standing.filter(({ phase }) => !hasEnded(phase));
  if (open.some(({ phase }) => phase === 'running' || phase === 'rolling-back')) return undefined;
  const next = open.find(({ phase }) => phase === 'pending');
  return (
    next && { id: next.id, supersede: open.filter(({ phase }) => phase === 'failed').map(({ id }) => id) }
  );
}
