import type { ApplicationDetail, ApplicationList, ApplicationView, ClusterView } from '@muster/api';
import { MusterError } from '@muster/base/errors';
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { hub } from '../../lib/hub.ts';
import { readApplications, split } from '../applications/queries.ts';
import { keyOf } from '../applications/state.ts';
import { clustersQuery } from '../clusters/queries.ts';
import { setsQuery, summaryQuery } from '../fleet/queries.ts';
import { PROMOTIONS } from '../promotions/queries.ts';
import { ROLLOUT, ROLLOUT_LISTS } from '../rollouts/queries.ts';
import type { Reading } from './changes.ts';
import { type Updates, patchPages, patchRows } from './patch.ts';

const PARALLEL = 6;

/** Reads again what a plan says and puts it into the cache. Throws what the hub answers. */
export async function refresh(queries: QueryClient, reading: Reading): Promise<void> {
  void queries.invalidateQueries({ queryKey: summaryQuery.queryKey });
  if (reading.kind === 'all') {
    await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
    return;
  }
  if (reading.sets || reading.applications.length > 0)
    void queries.invalidateQueries({ queryKey: setsQuery.queryKey });
  if (reading.promotions) void queries.invalidateQueries({ queryKey: [PROMOTIONS] });
  // Awaited, so that a rollout that moves fast is read as often as the hub answers, and no reading is cut off by the next.
  const rollouts = refreshRollouts(queries, reading.rollouts);
  const updates = new Map<string, ApplicationView | null>();
  await inParallel(reading.clusters, async (name) => {
    await refreshCluster(queries, name);
    for (const app of await readApplications(name)) updates.set(keyOf(app), app);
  });
  await inParallel(
    reading.applications.filter((key) => !updates.has(key)),
    async (key) => void updates.set(key, await orGone(hub.applications.get(...split(key)))),
  );
  if (updates.size > 0) patchApplications(queries, updates);
  await rollouts;
}

/** Only what is shown is read; the rest is known to be old. */
async function refreshRollouts(queries: QueryClient, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const keys = [[ROLLOUT_LISTS], ...ids.map((id) => [ROLLOUT, id])];
  // What a rollout waits for is why its targets are not there yet.
  const whys = queries.invalidateQueries({
    predicate: ({ queryKey }) => queryKey[0] === 'application' && queryKey[2] === 'why',
  });
  await Promise.all([...keys.map((queryKey) => queries.invalidateQueries({ queryKey })), whys]);
}

async function refreshCluster(queries: QueryClient, name: string): Promise<void> {
  const cluster = await orGone(hub.clusters.get(name));
  queries.setQueryData(clustersQuery.queryKey, (all: ClusterView[] | undefined) => {
    if (!all) return all;
    const others = all.filter((each) => each.name !== name);
    return cluster ? [...others, cluster] : others;
  });
}

function patchApplications(queries: QueryClient, updates: Updates): void {
  const cached = queries.getQueriesData<ApplicationView[]>({ queryKey: ['applications'] });
  for (const [queryKey, rows] of cached) {
    if (!rows) continue;
    const { cluster } = queryKey[1] as { cluster: string };
    const belongs = (app: ApplicationView) => cluster === '' || app.destination.cluster === cluster;
    queries.setQueryData(queryKey, patchRows(rows, updates, belongs));
  }
  const lists = queries.getQueriesData<InfiniteData<ApplicationList>>({ queryKey: ['application-lists'] });
  for (const [queryKey, list] of lists) {
    if (!list) continue;
    const { pages, stale } = patchPages(list.pages, updates);
    queries.setQueryData(queryKey, { ...list, pages });
    if (stale) void queries.invalidateQueries({ queryKey });
  }
  for (const [key, app] of updates) {
    queries.setQueryData(['application', key], (before: ApplicationDetail | undefined) =>
      before && app ? { ...before, ...removed(before, app), ...app } : before,
    );
    // The panel's parts, when it is open; otherwise they are read when it opens.
    void queries.invalidateQueries({ queryKey: ['application', key] });
  }
}

/** Optional members that an update no longer has must not survive it. */
function removed(before: object, app: object): Record<string, undefined> {
  const names = Object.keys(before).filter((name) => name !== 'manifest' && !(name in app));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

async function orGone<T>(answer: Promise<T>): Promise<T | null> {
  return await answer.catch((error: unknown) => {
    if (error instanceof MusterError && error.code === 'not-found') return null;
    throw error;
  });
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, rest.length) }, worker));
}
