import { type KubeObject, type ScopeLookup, describeKey, keyOf } from '@muster/kube';
import type { GroupKind, ProjectLimits } from '@muster/proto';
import { parseRepositoryUrl } from '../sources/repository-url.ts';
import { globMatches } from './glob.ts';
import type { Project } from './project-manifest.ts';

/** How a cluster is named in destinations. */
export interface NamedCluster {
  name: string;
  server: string;
}

/** Whether the project may use a repository: some entry allows it and no `!` entry denies it. */
export function permitsRepository(project: Project, url: string): boolean {
  const text = normalised(url);
  const entries = project.spec.sourceRepos ?? [];
  if (entries.some((entry) => entry.startsWith('!') && globMatches(normalised(entry.slice(1)), text))) return false;
  return entries.some((entry) => !entry.startsWith('!') && globMatches(normalised(entry), text));
}

/**
 * Globs over the namespaces that the project may use on a cluster, `!` in front denying; empty: the cluster is not
 * allowed at all. This list is what agents enforce.
 */
export function namespacesOn(project: Project, cluster: NamedCluster): string[] {
  const globs = new Set<string>();
  for (const item of project.spec.destinations ?? []) {
    const namespace = item.namespace ?? '';
    const denies = [item.server, item.name].some((pattern) => pattern?.startsWith('!'));
    const matches =
      patternMatches(item.server, cluster.server) || patternMatches(item.name, cluster.name);
    if (!matches) continue;
    globs.add(denies ? `!${namespace.replace(/^!/, '')}` : namespace);
  }
  return [...globs].some((glob) => !glob.startsWith('!')) ? [...globs] : [];
}

/** Whether namespace globs (as of `namespacesOn`) allow a namespace. */
export function permitsNamespace(globs: readonly string[], namespace: string): boolean {
  if (globs.some((glob) => glob.startsWith('!') && globMatches(glob.slice(1), namespace))) return false;
  return globs.some((glob) => !glob.startsWith('!') && globMatches(glob, namespace));
}

/** What the project allows on one cluster, as it goes into the signed assignment. */
export function limitsOn(project: Project, cluster: NamedCluster): ProjectLimits {
  const { spec } = project;
  return {
    name: project.name,
    namespaces: namespacesOn(project, cluster),
    clusterResourceAllow: types(spec.clusterResourceWhitelist),
    clusterResourceDeny: types(spec.clusterResourceBlacklist),
    namespaceResourceAllow: types(spec.namespaceResourceWhitelist),
    namespaceResourceDeny: types(spec.namespaceResourceBlacklist),
    namespaceAllowListed: spec.namespaceResourceWhitelist !== undefined && spec.namespaceResourceWhitelist !== null,
  };
}

/** Why a destination is not allowed, in words; undefined when it is. */
export function destinationRefusal(limits: ProjectLimits, cluster: NamedCluster, namespace: string): string | undefined {
  if (permitsNamespace(limits.namespaces, namespace)) return undefined;
  return `project ${limits.name} does not allow the destination ${cluster.name} (${cluster.server}), namespace ${namespace || '(none)'}`;
}

/**
 * What the project refuses among rendered objects, one sentence each. Types whose scope is not known are left to the
 * agent, which asks its cluster.
 */
export function objectRefusals(
  limits: ProjectLimits,
  objects: readonly KubeObject[],
  destinationNamespace: string,
  scopeOf: ScopeLookup,
): string[] {
  const refusals: string[] = [];
  for (const object of objects) {
    const key = keyOf(object);
    const scope = scopeOf(key) ?? (key.namespace === '' ? undefined : 'namespaced');
    if (scope === undefined) continue;
    if (!permitsType(limits, key, scope)) {
      refusals.push(`project ${limits.name} does not allow ${scope === 'cluster' ? 'cluster-scoped' : 'namespaced'} ${describeKey(key)}`);
    } else if (scope === 'namespaced') {
      const namespace = key.namespace || destinationNamespace;
      if (!permitsNamespace(limits.namespaces, namespace)) {
        refusals.push(`project ${limits.name} does not allow namespace ${namespace} (${describeKey(key)})`);
      }
    }
  }
  return refusals;
}

/** Whether the allow and deny lists let a type through. */
export function permitsType(limits: ProjectLimits, type: GroupKind, scope: 'cluster' | 'namespaced'): boolean {
  if (scope === 'cluster') return listed(limits.clusterResourceAllow, type) && !listed(limits.clusterResourceDeny, type);
  if (limits.namespaceAllowListed && !listed(limits.namespaceResourceAllow, type)) return false;
  return !listed(limits.namespaceResourceDeny, type);
}

function listed(list: readonly GroupKind[], type: GroupKind): boolean {
  return list.some(({ group, kind }) => globMatches(group, type.group) && globMatches(kind, type.kind));
}

function types(list: readonly GroupKind[] | null | undefined): GroupKind[] {
  return (list ?? []).map(({ group, kind }) => ({ group, kind }));
}

function patternMatches(pattern: string | undefined, text: string): boolean {
  return pattern !== undefined && pattern !== '' && globMatches(pattern.replace(/^!/, ''), text);
}

/** Spellings of one repository compare equal; a glob that is no URL is taken as it is. */
function normalised(url: string): string {
  if (url === '*') return url;
  try {
    return parseRepositoryUrl(url).normalised;
  } catch {
    return url;
  }
}
