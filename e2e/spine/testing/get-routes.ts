/** Calls every GET route of a hub's API, with everything that there is for its parameters. */
import type { Fleet } from '../fleet.ts';

interface Operation {
  get?: { parameters?: { name: string; in: string; required?: boolean }[] };
}

/** One answer, whatever it was. */
export interface Answered {
  url: string;
  status: number;
  text: string;
}

/** Values that parameters may have, by their name; in one set those that belong together. */
export type ParameterSets = Record<string, string>[];

/** A hub and what to say to it: a cookie or a token. */
export interface Caller {
  hub: string;
  headers: Record<string, string>;
}

/** Streams without an end; what they say is read elsewhere. */
const ENDLESS = new Set(['/api/v1/events']);
const MOST = 200;

/**
 * The answers of all GET routes. `setsFor` says what the parameters of a path may be, those that it has to have and all
 * others; a route for which it has nothing is in `unknown`.
 */
export async function callGetRoutes(
  caller: Caller,
  setsFor: (path: string, required: readonly string[], all: readonly string[]) => ParameterSets,
): Promise<{ answers: Answered[]; unknown: string[] }> {
  const document = (await (await get(caller, '/api/v1/openapi.json')).json()) as {
    paths: Record<string, Operation>;
  };
  const answers: Answered[] = [];
  const unknown: string[] = [];
  for (const [path, { get: operation }] of Object.entries(document.paths)) {
    if (!operation || ENDLESS.has(path)) continue;
    const parameters = operation.parameters ?? [];
    const required = parameters.filter((each) => each.required).map(({ name }) => name);
    const all = parameters.map(({ name }) => name);
    const sets = required.length === 0 ? [{}] : setsFor(path, required, all).slice(0, MOST);
    if (sets.length === 0 || sets.some((set) => required.some((name) => set[name] === undefined)))
      unknown.push(`${path} (${required.join(', ')})`);
    for (const set of sets) answers.push(await answered(caller, path, operation, set));
  }
  return { answers, unknown };
}

async function answered(
  caller: Caller,
  path: string,
  { parameters = [] }: NonNullable<Operation['get']>,
  set: ParameterSets[number],
): Promise<Answered> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(set[name] ?? ''));
  const query = new URLSearchParams();
  for (const { name, in: where } of parameters) {
    const value = set[name];
    if (where === 'query' && value !== undefined) query.set(name, value);
  }
  const url = query.size > 0 ? `${filled}?${query}` : filled;
  const response = await get(caller, url);
  return { url, status: response.status, text: await response.text() };
}

function get({ hub, headers }: Caller, path: string): Promise<Response> {
  return fetch(`${hub}${path}`, { headers, signal: AbortSignal.timeout(60_000) });
}

/** What the parameters of routes may be: Applications with each of their resources, and the names of everything else. */
export async function parameterSets(fleet: Fleet): Promise<Parameters<typeof callGetRoutes>[1]> {
  const { applications, applicationSets, clusters, users, groups, projects, promotions, rollouts } =
    fleet.client;
  const { items } = await applications.list({ limit: 200 });
  const named = (list: { items: { name: string }[] }) => list.items.map(({ name }) => ({ name }));
  const resources: ParameterSets = [];
  for (const { namespace, name } of items) {
    const answer = await applications.resources(namespace, name);
    for (const { key } of answer.resources as { key: string }[])
      resources.push({ namespace, name, resource: key, diff: 'true' });
  }
  const commands = await fleet.sql<{ id: string }>('select id::text from commands');
  const sets = (await applicationSets.list()).items.map(({ namespace, name }) => ({ namespace, name }));
  const owners = [...sets, ...items].map(({ namespace, name }) => `${namespace}/${name}`);
  const bySegment: Record<string, ParameterSets> = {
    applications: items.map(({ namespace, name, revision }) => ({
      namespace,
      name,
      commit: revision?.commit ?? 'abcdef1',
    })),
    applicationsets: sets,
    clusters: named(await clusters.list()),
    users: named(await users.list()),
    groups: (await groups.list()).items.length > 0 ? named(await groups.list()) : [{ name: 'nobody' }],
    projects: named(await projects.list()),
    rollouts: (await rollouts.list()).items.map(({ id }) => ({ id })),
    'rollout-policies': named(await rollouts.policies()),
    promotions: [...named(await promotions.list()), { name: 'nobody' }],
    releases: owners.map((of, i) => ({ owner: of, of, a: of, b: owners[(i + 1) % owners.length]! })),
    why: [...items, ...sets].map(({ namespace, name }) => ({ namespace, name })),
    commands,
  };
  return (path, required, all) => {
    const known = bySegment[path.split('/')[3]!] ?? [];
    const fits = (set: ParameterSets[number]) => required.every((name) => set[name] !== undefined);
    if (all.includes('resource')) return resources.filter(fits);
    return known.filter(fits);
  };
}
