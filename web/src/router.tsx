import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { FleetPage } from './features/fleet/fleet-page.tsx';
import { readSearch } from './features/fleet/search.ts';
import { NotFoundPage } from './features/fleet/not-found-page.tsx';
import { Gate } from './features/session/gate.tsx';

const root = createRootRoute({ component: Gate, notFoundComponent: NotFoundPage });
const fleet = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: readSearch,
  component: FleetPage,
});

/** One page; everything that it shows is in its search parameters. */
export const router = createRouter({ routeTree: root.addChildren([fleet]) });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
