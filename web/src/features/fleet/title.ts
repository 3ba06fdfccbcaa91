import { useEffect } from 'react';
import { type FleetSearch, shownView } from './search.ts';

const VIEWS = {
  list: 'Applications',
  rollouts: 'Rollouts',
  promotions: 'Promotions',
  policies: 'Rollout policies',
} as const;

/** What a tab is called, the most particular first: `web-prod · Muster`. */
export function titleOf(search: FleetSearch): string {
  const { app, about, policy, promotion, a, b } = search;
  const view = shownView(search);
  const compared = a !== undefined && b !== undefined ? `${a} and ${b}` : undefined;
  const place = compared ?? promotion ?? (view ? VIEWS[view] : 'Fleet');
  return [app?.split('/').at(-1) ?? about ?? policy, place, 'Muster'].filter(Boolean).join(' · ');
}

/** Names the tab, the history and the bookmark after what is shown. */
export function useTitle(search: FleetSearch): void {
  const title = titleOf(search);
  useEffect(() => {
    document.title = title;
  }, [title]);
}
