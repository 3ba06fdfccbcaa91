import { type ApplicationView, RolloutPhase, TARGET_GROUPS } from '@muster/api';
import type { StoredHold, StoredTarget } from './application-list.repository.ts';

const AT_REST: ReadonlySet<string> = new Set(
  [...TARGET_GROUPS.back, ...TARGET_GROUPS.done, ...TARGET_GROUPS.out].filter((state) => state !== 'pinned'),
);

/** What a rollout does to an Application: as a target of one that goes on, else by what one that is over left; undefined: nothing. */
export function rolloutOf(rolling: StoredTarget | null, held: StoredHold | null): ApplicationView['rollout'] {
  if (rolling && !AT_REST.has(rolling.state)) {
    const { id, phase, paused, state, note, since } = rolling;
    const reason = note ?? held?.reason;
    return {
      id,
      ...phaseOf(phase),
      ...(paused ? { paused } : {}),
      state,
      ...(reason ? { reason } : {}),
      since: new Date(since).toISOString(),
      ...holdsOf(held),
    };
  }
  if (!held) return undefined;
  return {
    ...(held.rollout ? { id: held.rollout } : {}),
    ...phaseOf(held.phase),
    state: 'held',
    reason: held.reason,
    since: new Date(held.since).toISOString(),
    ...holdsOf(held),
  };
}

function holdsOf(held: StoredHold | null): Pick<NonNullable<ApplicationView['rollout']>, 'holds'> {
  if (!held) return {};
  const { release, commit } = held;
  return {
    holds: { ...(release === null ? {} : { release }), ...(commit === null ? {} : { commit }) },
  };
}

function phaseOf(stored: string | null): { phase?: RolloutPhase } {
  const { data } = RolloutPhase.safeParse(stored);
  return data ? { phase: data } : {};
}
