import { LOCAL_NAME, LOCAL_SERVER } from './generators/clusters.ts';
import type { ClusterFacts } from './ports.ts';
import type { Application, ApplicationDestination } from './types.ts';

export interface ValidationFacts {
  /** The ApplicationSet's name. */
  set: string;
  projects: ReadonlySet<string> | undefined;
  /** Given only when destinations are to be looked up. */
  clusters: readonly ClusterFacts[] | undefined;
}

/**
 * What is wrong with applications that could be generated, by `namespace/name`: no name, a name twice (which covers
 * both), a project or a destination that does not exist. These are skipped; they are neither written nor deleted.
 */
export function validateApplications(
  applications: readonly Application[],
  facts: ValidationFacts,
): Record<string, string> {
  const errors: Record<string, string> = {};
  const names = new Set<string>();
  const destinations = facts.clusters && index(facts.clusters);
  for (const { metadata, spec } of applications) {
    const error = validate(metadata.name, names, spec.project, spec.destination, facts, destinations);
    if (error) errors[`${metadata.namespace ?? ''}/${metadata.name}`] = error;
  }
  return errors;
}

function validate(
  name: string,
  names: Set<string>,
  project: string,
  destination: ApplicationDestination,
  { set, projects }: ValidationFacts,
  known: ClusterIndex | undefined,
): string | undefined {
  if (name === '')
    return `ApplicationSet ${set} contains an application with no name; a name must be set in the template's metadata.name or via a templatePatch (generateName is not supported)`;
  if (names.has(name)) return `ApplicationSet ${set} contains applications with duplicate name: ${name}`;
  names.add(name);
  if (projects && !projects.has(project))
    return `application references project ${project} which does not exist`;
  const error = destinationError(destination, known);
  return error && `application destination spec is invalid: ${error}`;
}

interface ClusterIndex {
  servers: Set<string>;
  byName: Map<string, string[]>;
}

function index(clusters: readonly ClusterFacts[]): ClusterIndex {
  const servers = new Set([LOCAL_SERVER]);
  const byName = new Map<string, string[]>();
  for (const { name, server } of clusters) {
    const bare = withoutSlash(server);
    servers.add(bare);
    byName.set(name, [...(byName.get(name) ?? []), bare]);
  }
  // The name stands for the local cluster even where that is registered under another one.
  if (!byName.has(LOCAL_NAME)) byName.set(LOCAL_NAME, [LOCAL_SERVER]);
  return { servers, byName };
}

function withoutSlash(server: string): string {
  let end = server.length;
  while (server[end - 1] === '/') end--;
  return server.slice(0, end);
}

function destinationError(
  { name, server }: ApplicationDestination,
  known?: ClusterIndex,
): string | undefined {
  if (name && server)
    return `application destination can't have both name and server defined: ${name} ${server}`;
  if (!name && !server) return 'Destination server missing from app spec';
  if (!known) return undefined;
  if (server)
    return known.servers.has(withoutSlash(server))
      ? undefined
      : `error getting cluster by server ${JSON.stringify(server)}: rpc error: code = NotFound desc = cluster ${JSON.stringify(withoutSlash(server))} not found`;
  const servers = known.byName.get(name!) ?? [];
  if (servers.length === 0) return `there are no clusters with this name: ${name}`;
  if (servers.length > 1)
    return `there are ${servers.length} clusters with the same name: [${servers.join(' ')}]`;
  return undefined;
}
