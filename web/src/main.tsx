import { MusterError } from '@muster/base/errors';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { isLoggedOut, sessionQuery } from './features/session/queries.ts';
import { router } from './router.tsx';
import './styles.css';

const FINAL: ReadonlySet<string> = new Set([
  'unauthenticated',
  'forbidden',
  'not-found',
  'invalid',
  'precondition',
]);

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: endSession }),
  mutationCache: new MutationCache({ onError: endSession }),
  defaultOptions: {
    queries: {
      // Changes come as events; reading again is for what they announce.
      staleTime: 60_000,
      retry: (count, error) => count < 2 && mayPass(error),
    },
  },
});

/** What the hub refuses it refuses again: only what kept it from answering may have passed. */
function mayPass(error: unknown): boolean {
  return !FINAL.has(MusterError.from(error).code);
}

function endSession(error: unknown): void {
  if (isLoggedOut(error)) queries.setQueryData(sessionQuery.queryKey, null);
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
