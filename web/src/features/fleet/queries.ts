import { allItems } from '@muster/api/client';
import { queryOptions } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';

export const setsQuery = queryOptions({
  queryKey: ['sets'],
  queryFn: ({ signal }) => allItems((after) => hub.applicationSets.list({ limit: 1000, after }, { signal })),
});

/** Names of the projects that there are. */
export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async ({ signal }) =>
    (await hub.projects.list({ limit: 1000 }, { signal })).items.map(({ name }) => name).sort(),
});

/** Read each half minute besides: that a cluster has gone silent is found by the clock. */
export const summaryQuery = queryOptions({
  queryKey: ['summary'],
  queryFn: ({ signal }) => hub.summary({ signal }),
  refetchInterval: 30_000,
});
