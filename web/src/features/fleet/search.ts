import type { ListApplications, ListRollouts, RolloutPhase } from '@muster/api';

/** Everything of the page that a link carries. */
export interface FleetSearch {
  view?: View;
  q?: string;
  cluster?: string;
  set?: string;
  sync?: string;
  health?: string;
  connection?: 'connected' | 'silent' | 'pending';
  attention?: true;
  /** The Application (`namespace/name`) or the cluster whose panel is open. */
  app?: string;
  about?: string;
  /** The Application's objects are shown as a tree, asked of the cluster. */
  tree?: true;
  /** The object (`group/Kind/namespace/name`) that is looked at, and what of it. */
  object?: string;
  tab?: ObjectTab;
  /** The rollout (its id) or the RolloutPolicy (its name) that is looked at. */
  rollout?: string;
  policy?: string;
  /** The promotion (its name) that is looked at. */
  promotion?: string;
  /** Two releases that are compared, named as `muster release diff` names them. */
  a?: string;
  b?: string;
  /** Filters of the list of rollouts, besides `q`. */
  phase?: string;
  project?: string;
  open?: true;
}

export const VIEWS = ['list', 'rollouts', 'promotions', 'policies'] as const;
export type View = (typeof VIEWS)[number];

export const OBJECT_TABS = ['manifest', 'diff', 'events', 'logs'] as const;
export type ObjectTab = (typeof OBJECT_TABS)[number];

const TEXTS = [
  'q',
  'cluster',
  'set',
  'sync',
  'health',
  'app',
  'about',
  'object',
  'rollout',
  'policy',
  'promotion',
  'a',
  'b',
  'phase',
  'project',
] as const;

/** Reads search parameters of any origin; what it does not understand it leaves out. */
export function readSearch(given: Record<string, unknown>): FleetSearch {
  const found: FleetSearch = {};
  for (const name of TEXTS) {
    const value = given[name];
    if ((typeof value === 'string' && value !== '') || typeof value === 'number') found[name] = String(value);
  }
  const view = VIEWS.find((each) => each === given['view']);
  if (view) found.view = view;
  const connection = given['connection'];
  if (connection === 'connected' || connection === 'silent' || connection === 'pending')
    found.connection = connection;
  if (given['attention'] === true || given['attention'] === 'true') found.attention = true;
  if (given['open'] === true || given['open'] === 'true') found.open = true;
  if (given['tree'] === true || given['tree'] === 'true') found.tree = true;
  const tab = OBJECT_TABS.find((each) => each === given['tab']);
  if (tab) found.tab = tab;
  return found;
}

const PLACES = ['view', 'rollout', 'promotion'] as const;

/** Search parameters after a change: an object goes with the Application that it was seen in, a rollout with its view. */
export function changedSearch(before: FleetSearch, change: Partial<FleetSearch>): FleetSearch {
  const other = ('app' in change && change.app !== before.app) || change.about !== undefined;
  const elsewhere = 'view' in change;
  return {
    ...before,
    ...(other && { object: undefined, tab: undefined }),
    ...(elsewhere && { rollout: undefined, policy: undefined, promotion: undefined }),
    // What is compared stands over what it was reached from: to go anywhere else leaves it.
    ...(!('a' in change) && PLACES.some((place) => place in change) && { a: undefined, b: undefined }),
    ...change,
  };
}

/** What is shown: one rollout stands among the rollouts, one promotion among the promotions. */
export function shownView({ view, rollout, promotion, a, b }: FleetSearch): View | undefined {
  if (view === undefined && a !== undefined && b !== undefined)
    return promotion === undefined ? 'rollouts' : 'promotions';
  if (rollout !== undefined) return 'rollouts';
  return promotion === undefined ? view : 'promotions';
}

/** What of it the hub filters rollouts by. */
export function rolloutsQuery({ q, phase, project, open }: FleetSearch): RolloutsFilter {
  return {
    ...(q && { search: q }),
    ...(phase && { phase: phase as RolloutPhase }),
    ...(project && { project }),
    ...(open && { open }),
  };
}

export type RolloutsFilter = Partial<Pick<ListRollouts, 'search' | 'phase' | 'project' | 'open'>>;

/** What of it the hub filters Applications by. */
export function listQuery(search: FleetSearch): Partial<ListApplications> {
  const { q, cluster, set, sync, health } = search;
  return {
    ...(q && { search: q }),
    ...(cluster && { cluster }),
    ...(set && { set }),
    ...(sync && { sync }),
    ...(health && { health }),
  };
}

export function isFiltered(search: FleetSearch): boolean {
  const { q, cluster, set, sync, health, connection, attention, phase, project, open } = search;
  const all = [q, cluster, set, sync, health, connection, attention, phase, project, open];
  return all.some((value) => value !== undefined);
}
