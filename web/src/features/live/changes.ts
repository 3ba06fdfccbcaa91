import type { Change } from '@muster/api';

/** What changed since the page last read it. */
export interface Pending {
  all: boolean;
  applications: ReadonlySet<string>;
  clusters: ReadonlySet<string>;
  sets: boolean;
  rollouts: ReadonlySet<string>;
  promotions: boolean;
}

export const NOTHING: Pending = {
  all: false,
  applications: new Set(),
  clusters: new Set(),
  sets: false,
  rollouts: new Set(),
  promotions: false,
};
export const EVERYTHING: Pending = { ...NOTHING, all: true };

/** More keys than this are read faster as lists. */
const MAX_SINGLE_APPLICATIONS = 60;
const MAX_SINGLE_CLUSTERS = 10;

/** Adds a change to what is pending. */
export function addChange(pending: Pending, { kind, keys }: Change): Pending {
  if (pending.all) return pending;
  switch (kind) {
    case 'application':
      return { ...pending, applications: new Set([...pending.applications, ...keys]) };
    case 'cluster':
      return { ...pending, clusters: new Set([...pending.clusters, ...keys]) };
    case 'applicationset':
      return { ...pending, sets: true };
    case 'rollout':
      return { ...pending, rollouts: new Set([...pending.rollouts, ...keys]) };
    case 'promotion':
      return { ...pending, promotions: true };
    case 'command':
    case 'repository':
    case 'project':
      return pending;
    default:
      // Of a hub that is newer than this page.
      return pending;
  }
}

export function isNothing({ all, applications, clusters, sets, rollouts, promotions }: Pending): boolean {
  const none = applications.size === 0 && clusters.size === 0 && rollouts.size === 0;
  return none && !all && !sets && !promotions;
}

/** What to read again, as little as is worth it. Applications of a changed cluster are read with it. */
export type Reading =
  | { kind: 'all' }
  | {
      kind: 'some';
      applications: string[];
      clusters: string[];
      sets: boolean;
      rollouts: string[];
      promotions: boolean;
    };

export function planReading(pending: Pending): Reading {
  const { all, applications, clusters, sets, rollouts, promotions } = pending;
  if (all || applications.size > MAX_SINGLE_APPLICATIONS || clusters.size > MAX_SINGLE_CLUSTERS)
    return { kind: 'all' };
  return {
    kind: 'some',
    applications: [...applications],
    clusters: [...clusters],
    sets,
    rollouts: [...rollouts],
    promotions,
  };
}
