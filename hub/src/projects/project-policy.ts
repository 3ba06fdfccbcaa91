import {
  type Decision,
  type KubeObject,
  type Project,
  type ScopeLookup,
  type SyncWindow,
  describeKey,
  globMatches,
  keyOf,
  resourceDecision,
  windowsFor,
} from '@muster/kube';
import type { ProjectLimits } from '@muster/proto';

/** How a cluster is named in destinations. */
export interface NamedCluster {
  name: string;
  server: string;
}

/**
 * What the project allows an Application on one cluster, as it goes into the signed assignment for the agent to enforce again.
 * Sync windows say only when: they are no part of a release, and are added to whatever is signed.
 */
export function limitsOn(
  project: Project,
  cluster: NamedCluster,
  accounts: { allowed: readonly string[]; needed: boolean } = { allowed: [], needed: false },
): ProjectLimits {
  const { spec } = project;
  return {
    name: project.name,
    namespaces: namespacesOn(project, cluster),
    clusterResourceAllow: types(spec.clusterResourceWhitelist),
    clusterResourceDeny: types(spec.clusterResourceBlacklist),
    namespaceResourceAllow: types(spec.namespaceResourceWhitelist),
    namespaceResourceDeny: types(spec.namespaceResourceBlacklist),
    namespaceAllowListed: Array.isArray(spec.namespaceResourceWhitelist),
    windows: [],
    serviceAccounts: [...accounts.allowed],
    needsServiceAccount: accounts.needed,
  };
}

/** The project's sync windows that hold for an Application; `namespace`: that of its destination. */
export function windowsOn(
  { spec }: Project,
  cluster: NamedCluster,
  { name, namespace }: { name: string; namespace: string },
): SyncWindow[] {
  return windowsFor(spec.syncWindows ?? [], { application: name, namespace, cluster });
}

/** Globs over the namespaces that the project may use on a cluster, `!` in front denying; empty: none. */
export function namespacesOn(project: Project, cluster: NamedCluster): string[] {
  const globs = new Set<string>();
  for (const { server = '', name = '', namespace = '' } of project.spec.destinations ?? []) {
    const excludes = [server, name].some((pattern) => pattern.startsWith('!'));
    if (excludes) {
      const excluded = matches(server, cluster.server) || matches(name, cluster.name);
      // An entry that excludes another cluster allows this one, as in the reference.
      globs.add(excluded ? `!${namespace.replace(/^!/, '')}` : namespace);
    } else if (matches(server, cluster.server) || matches(name, cluster.name)) globs.add(namespace);
  }
  const denies = [...globs].filter((glob) => glob.startsWith('!'));
  const allows = [...globs].filter((glob) => !glob.startsWith('!'));
  // A negation alone allows every other namespace, as in the reference.
  if (allows.length === 0 && denies.some((glob) => glob !== '!*')) allows.push('*');
  return allows.length > 0 ? [...allows, ...denies] : [];
}

/** Whether namespace globs (as of `namespacesOn`) allow a namespace. */
export function permitsNamespace(globs: readonly string[], namespace: string): boolean {
  if (globs.some((glob) => glob.startsWith('!') && globMatches(glob.slice(1), namespace))) return false;
  return globs.some((glob) => !glob.startsWith('!') && globMatches(glob, namespace));
}

/**
 * What the project refuses among rendered objects, one sentence each. Types whose scope is not known are left to the
 * agent, which asks its cluster.
 */
export function objectRefusals(
  project: Project,
  cluster: NamedCluster,
  objects: readonly KubeObject[],
  destinationNamespace: string,
  scopeOf: ScopeLookup,
): string[] {
  const globs = namespacesOn(project, cluster);
  const refusals: string[] = [];
  for (const object of objects) {
    const key = keyOf(object);
    const scope = scopeOf(key) ?? (key.namespace === '' ? undefined : 'namespaced');
    if (scope === undefined) continue;
    const decision: Decision = resourceDecision(project, key, scope, key.name);
    const namespace = key.namespace || destinationNamespace;
    if (!decision.allowed) refusals.push(decision.reason);
    else if (scope === 'namespaced' && !permitsNamespace(globs, namespace)) {
      refusals.push(
        `project "${project.name}" does not allow the namespace ${namespace || '(none)'} (${describeKey(key)})`,
      );
    }
  }
  return refusals;
}

/** True for projects such as `default`: every cluster, namespace and kind. Sources may be limited. */
export function permitsEverything({ spec }: Project): boolean {
  return (
    spec.destinations?.length === 1 &&
    spec.destinations[0]!.namespace === '*' &&
    (spec.destinations[0]!.server === '*' || spec.destinations[0]!.name === '*') &&
    (spec.clusterResourceWhitelist ?? []).some(
      ({ group, kind, name }) => group === '*' && kind === '*' && !name,
    ) &&
    !spec.clusterResourceBlacklist?.length &&
    !spec.namespaceResourceBlacklist?.length &&
    !spec.namespaceResourceWhitelist
  );
}

function matches(pattern: string, text: string): boolean {
  return pattern !== '' && globMatches(pattern.replace(/^!/, ''), text);
}

function types(list: readonly { group: string; kind: string }[] | undefined | null) {
  return (list ?? []).map(({ group, kind }) => ({ group, kind }));
}
