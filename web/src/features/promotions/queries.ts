import { queryOptions } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';

/** First part of query keys: what an event of a promotion makes old. */
export const PROMOTIONS = 'promotions';

/** The hub looks at environments every few seconds and tells only of what is new: when it looked is read now and then. */
const READ_AGAIN_MS = 30_000;

export const promotionsQuery = queryOptions({
  queryKey: [PROMOTIONS],
  queryFn: ({ signal }) => hub.promotions.list({ signal }),
  refetchInterval: READ_AGAIN_MS,
});

export const promotionQuery = (name: string) =>
  queryOptions({
    queryKey: [PROMOTIONS, name],
    queryFn: ({ signal }) => hub.promotions.get(name, { signal }),
    refetchInterval: READ_AGAIN_MS,
  });
