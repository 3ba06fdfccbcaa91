import type { ApplicationList, ApplicationView } from '@muster/api';
import { keyOf } from '../applications/state.ts';

/** Applications as read again, by key; null: gone. */
export type Updates = ReadonlyMap<string, ApplicationView | null>;

/** Puts updates into a list sorted by namespace and name; new ones only where `belongs` says so. */
export function patchRows(
  rows: readonly ApplicationView[],
  updates: Updates,
  belongs: (app: ApplicationView) => boolean = () => true,
): ApplicationView[] {
  const patched: ApplicationView[] = [];
  const seen = new Set<string>();
  for (const row of rows) {
    const key = keyOf(row);
    const update = updates.get(key);
    seen.add(key);
    if (update === undefined) patched.push(row);
    else if (update !== null && belongs(update)) patched.push(update);
  }
  const added = [...updates].flatMap(([key, app]) => (app && !seen.has(key) && belongs(app) ? [app] : []));
  if (added.length === 0) return patched;
  return [...patched, ...added].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
}

/** Puts updates into the pages of a filtered list; `stale` when the filter may now give other rows. */
export function patchPages(
  pages: readonly ApplicationList[],
  updates: Updates,
): { pages: ApplicationList[]; stale: boolean } {
  let stale = false;
  const met = new Set<string>();
  const patched = pages.map((page) => ({
    ...page,
    items: page.items.flatMap((item) => {
      const update = updates.get(keyOf(item));
      if (update === undefined) return [item];
      met.add(keyOf(item));
      if (update === null) return [];
      stale ||= update.sync !== item.sync || update.health !== item.health;
      return [update];
    }),
  }));
  for (const [key, update] of updates) stale ||= update !== null && !met.has(key);
  return { pages: patched, stale };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
