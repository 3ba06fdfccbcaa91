import { MusterError } from '@muster/base';
import { queryOptions } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';

/** Who is logged in; null: nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) =>
    hub.session.get({ signal }).catch((error: unknown) => {
      if (isLoggedOut(error)) return null;
      throw error;
    }),
  staleTime: Number.POSITIVE_INFINITY,
});

export function isLoggedOut(error: unknown): boolean {
  return error instanceof MusterError && error.code === 'unauthenticated';
}
