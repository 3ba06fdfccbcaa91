import { allItems } from '@muster/api/client';
import { queryOptions } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';

export const clustersQuery = queryOptions({
  queryKey: ['clusters'],
  queryFn: ({ signal }) => allItems((after) => hub.clusters.list({ limit: 1000, after }, { signal })),
});
