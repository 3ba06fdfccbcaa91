import { getRouteApi } from '@tanstack/react-router';
import { useCallback } from 'react';
import { type FleetSearch, changedSearch } from './search.ts';

const route = getRouteApi('/');

/** The search parameters, and how to change some of them; undefined takes one away. */
export function useFleetSearch(): [FleetSearch, (change: Partial<FleetSearch>, replace?: boolean) => void] {
  const search: FleetSearch = route.useSearch();
  const navigate = route.useNavigate();
  const change = useCallback(
    (next: Partial<FleetSearch>, replace = false) =>
      void navigate({ search: (before: FleetSearch) => changedSearch(before, next), replace }),
    [navigate],
  );
  return [search, change];
}
