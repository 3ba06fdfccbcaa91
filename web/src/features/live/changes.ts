import type { Change } from '@muster/api';

/** What changed since the page last read it. */
export interface Pending {
  all: boolean;
  applications: ReadonlySet<string>;
  clusters: ReadonlySet<string>;
  sets: boolean;
}

export const NOTHING: Pending = { all: false, applications: new Set(), clusters: new Set(), sets: false };
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
    case 'command':
    case 'repository':
    case 'project':
    case 'rollout':
      return pending;
  }
}

export function isNothing({ all, applications, clusters, sets }: Pending): boolean {
  return !all && applications.size === 0 && clusters.size === 0 && !sets;
}

/** What to read again, as little as is worth it. Applications of a changed cluster are read with it. */
export type Reading =
  | { kind: 'all' }
  | { kind: 'some'; applications: string[]; clusters: string[]; sets: boolean };

export function planReading(pending: Pending): Reading {
  const { all, applications, clusters, sets } = pending;
  if (all || applications.size > MAX_SINGLE_APPLICATIONS || clusters.size > MAX_SINGLE_CLUSTERS)
    return { kind: 'all' };
  return { kind: 'some', applications: [...applications], clusters: [...clusters], sets };
}
