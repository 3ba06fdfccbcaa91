import { queryOptions } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';
import { split } from '../applications/queries.ts';

/** How often what is open is looked at again, in milliseconds; each look asks the cluster. */
const OBJECTS_EVERY = 15_000;
const EVENTS_EVERY = 10_000;

/** Looks ask the cluster: only while somebody looks, and nothing is kept when nobody does. */
const look = { gcTime: 0, staleTime: 0, retry: false, refetchOnWindowFocus: false } as const;

/** All looks into one Application's cluster. */
export const looksKey = (appKey: string) => ['look', appKey] as const;

export const treeQuery = (appKey: string) =>
  queryOptions({
    ...look,
    queryKey: [...looksKey(appKey), 'tree'],
    queryFn: ({ signal }) => hub.applications.tree(...split(appKey), { signal }),
    // What was refused once is asked again by hand.
    refetchInterval: ({ state }) => (state.status === 'error' ? false : OBJECTS_EVERY),
  });

/** One object; the difference costs the API server a dry run, and is judged only where it is shown. */
export const objectQuery = (appKey: string, resource: string, diff: boolean) =>
  queryOptions({
    ...look,
    queryKey: [...looksKey(appKey), 'object', resource, { diff }],
    queryFn: ({ signal }) => hub.applications.resource(...split(appKey), { resource, diff }, { signal }),
    refetchInterval: ({ state }) => (diff || state.status === 'error' ? false : OBJECTS_EVERY),
  });

export const eventsQuery = (appKey: string, resource: string) =>
  queryOptions({
    ...look,
    queryKey: [...looksKey(appKey), 'events', resource],
    queryFn: ({ signal }) => hub.applications.events(...split(appKey), { resource }, { signal }),
    refetchInterval: ({ state }) => (state.status === 'error' ? false : EVENTS_EVERY),
  });
