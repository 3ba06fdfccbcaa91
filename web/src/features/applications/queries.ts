import type { ListApplications } from '@muster/api';
import { allItems } from '@muster/api/client';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';

const PAGE = 1000;
const LIST_PAGE = 200;
/** The matrix reads no more than this; the list pages through any number. */
export const MATRIX_LIMIT = 20_000;

/** All Applications, or those of one cluster, by namespace and name. */
export const applicationsQuery = (cluster?: string) =>
  queryOptions({
    queryKey: ['applications', { cluster: cluster ?? '' }],
    queryFn: ({ signal }) => readApplications(cluster, signal),
  });

export function readApplications(cluster: string | undefined, signal?: AbortSignal) {
  return allItems(
    (after) => hub.applications.list({ limit: PAGE, ...(cluster && { cluster }), after }, { signal }),
    MATRIX_LIMIT,
  );
}

export const applicationListQuery = (filter: Partial<ListApplications>) =>
  infiniteQueryOptions({
    queryKey: ['application-lists', filter],
    queryFn: ({ pageParam, signal }) =>
      hub.applications.list(
        { ...filter, limit: LIST_PAGE, ...(pageParam && { after: pageParam }) },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: (previous) => previous,
  });

export const applicationQuery = (key: string) =>
  queryOptions({
    queryKey: ['application', key],
    queryFn: ({ signal }) => hub.applications.get(...split(key), { signal }),
  });
export const resourcesQuery = (key: string) =>
  queryOptions({
    queryKey: ['application', key, 'resources'],
    queryFn: ({ signal }) => hub.applications.resources(...split(key), { signal }),
  });
export const historyQuery = (key: string) =>
  queryOptions({
    queryKey: ['application', key, 'history'],
    queryFn: ({ signal }) => hub.applications.history(...split(key), { signal }),
  });

/** Namespace and name of a key. */
export function split(key: string): [string, string] {
  const [namespace = '', ...name] = key.split('/');
  return [namespace, name.join('/')];
}
