import type { TargetGroup } from '@muster/api/rollout-groups';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';
import type { RolloutsFilter } from '../fleet/search.ts';

/** First parts of query keys: what an event of a rollout makes old. */
export const ROLLOUT_LISTS = 'rollout-lists';
export const ROLLOUT = 'rollout';

const LIST_PAGE = 30;
const TARGETS_PAGE = 500;
const LOG_STEPS = 60;

/** What is on its way first, then what has stopped, then what has ended. */
export const rolloutListQuery = (filter: RolloutsFilter) =>
  infiniteQueryOptions({
    queryKey: [ROLLOUT_LISTS, filter],
    queryFn: ({ pageParam, signal }) =>
      hub.rollouts.list(
        { ...filter, order: 'urgent', limit: LIST_PAGE, ...(pageParam && { after: pageParam }) },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: (previous) => previous,
  });

/** Without its targets, of which there may be thousands. */
export const rolloutQuery = (id: string) =>
  queryOptions({
    queryKey: [ROLLOUT, id],
    queryFn: ({ signal }) => hub.rollouts.get(id, { targets: 0 }, { signal }),
  });

export interface TargetsFilter {
  search?: string;
  stage?: string;
  group?: TargetGroup;
}

export const targetsQuery = (id: string, filter: TargetsFilter) =>
  infiniteQueryOptions({
    queryKey: [ROLLOUT, id, 'targets', filter],
    queryFn: ({ pageParam, signal }) =>
      hub.rollouts.targets(
        id,
        { ...filter, limit: TARGETS_PAGE, ...(pageParam && { after: pageParam }) },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: (previous) => previous,
  });

export const rolloutLogQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: [ROLLOUT, id, 'log'],
    queryFn: ({ pageParam, signal }) =>
      hub.rollouts.log(id, { limit: LOG_STEPS, ...(pageParam && { after: pageParam }) }, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  });

export const releasesQuery = (id: string) =>
  queryOptions({
    queryKey: [ROLLOUT, id, 'releases'],
    queryFn: ({ signal }) => hub.rollouts.releases(id, { signal }),
  });

export const policiesQuery = queryOptions({
  queryKey: ['rollout-policies'],
  queryFn: ({ signal }) => hub.rollouts.policies({ signal }),
});

export const policyQuery = (name: string) =>
  queryOptions({
    queryKey: ['rollout-policies', name],
    queryFn: ({ signal }) => hub.rollouts.policy(name, { signal }),
  });
