import { MusterError } from '@muster/base/errors';
import type { Session } from '@muster/api';
import { type QueryClient, queryOptions } from '@tanstack/react-query';
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

/** Somebody else uses the page now, or nobody: nothing that was read as another stays. */
export function changeSession(queries: QueryClient, session: Session | null): void {
  queries.setQueryData(sessionQuery.queryKey, session);
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
}
