import { globMatches } from './glob.ts';
import { type DestinationServiceAccount, accountProblems } from './impersonation.ts';
import { windowProblems, type WrittenWindow } from './sync/windows.ts';
import { type GroupKind, groupKindString, isRecord } from './object.ts';

/** A destination as projects list them and as Applications ask for them. */
export interface ProjectDestination {
  server?: string;
  name?: string;
  namespace?: string;
}

/** An entry of a list of types; `name` counts for cluster-scoped objects only. */
export interface ResourceRule {
  group: string;
  kind: string;
  name?: string;
}

/** The part of an AppProject's `spec` that Muster enforces. */
export interface ProjectSpec {
  sourceRepos?: string[];
  destinations?: ProjectDestination[];
  clusterResourceWhitelist?: ResourceRule[];
  clusterResourceBlacklist?: ResourceRule[];
  namespaceResourceWhitelist?: ResourceRule[];
  namespaceResourceBlacklist?: ResourceRule[];
  syncWindows?: WrittenWindow[];
  destinationServiceAccounts?: DestinationServiceAccount[];
  [field: string]: unknown;
}

/** A project by its name, which the reasons give. */
export interface Project {
  name: string;
  spec: ProjectSpec;
}

/** Whether it is allowed; if not, why, in words that can be shown. */
export type Decision = { allowed: true } | { allowed: false; reason: string };

const ALLOWED: Decision = { allowed: true };

/** Whether the project allows a repository: one entry of `sourceRepos` must match, and no entry with `!`. `*` stops at `/`. */
export function sourceDecision(project: Project, repoURL: string): Decision {
  const url = normalizeRepoURL(repoURL);
  let matched = false;
  for (const pattern of project.spec.sourceRepos ?? []) {
    if (pattern.startsWith('!')) {
      if (repoMatches(pattern.slice(1), url)) {
        return denied(
          `project "${project.name}" excludes the repository ${repoURL} (sourceRepos "${pattern}")`,
        );
      }
      // A negation alone allows everything else, as in the reference.
      matched = true;
    } else if (repoMatches(pattern, url)) {
      matched = true;
    }
  }
  return matched
    ? ALLOWED
    : denied(`project "${project.name}" does not allow the repository ${repoURL} (sourceRepos)`);
}

function repoMatches(pattern: string, url: string): boolean {
  return pattern === '*' || globMatches(normalizeRepoURL(pattern), url, '/');
}

/** Equal for the usual spellings of one repository: case, `.git`, `git@host:path` and `ssh://git@host/path`. */
export function normalizeRepoURL(url: string): string {
  let text = url.trim().toLowerCase();
  if (!text.includes('://') && /^[^/@\s]+@[^/:\s]+:/.test(text)) text = text.replace(':', '/');
  return text.replace(/^ssh:\/\//, '').replace(/\.git$/, '');
}

/** Whether the project allows a cluster and namespace: one destination must match, and none with `!` may speak against it. */
export function destinationDecision(project: Project, destination: ProjectDestination): Decision {
  const { server = '', name = '', namespace = '' } = destination;
  const where = `${name || server || 'the cluster'}, namespace "${namespace}"`;
  let matched = false;
  for (const item of project.spec.destinations ?? []) {
    const serverMatches = server !== '' && negatable(item.server ?? '', server);
    const nameMatches = name !== '' && negatable(item.name ?? '', name);
    const namespaceMatches = negatable(item.namespace ?? '', namespace);
    const excluded =
      (namespaceMatches &&
        ((!nameMatches && isNegation(item.name)) || (!serverMatches && isNegation(item.server)))) ||
      (!namespaceMatches && isNegation(item.namespace) && (serverMatches || nameMatches));
    if ((serverMatches || nameMatches) && namespaceMatches) matched = true;
    else if (excluded) return denied(`project "${project.name}" excludes ${where} (destinations)`);
  }
  return matched ? ALLOWED : denied(`project "${project.name}" does not allow ${where} (destinations)`);
}

function isNegation(pattern: string | undefined): boolean {
  return pattern?.startsWith('!') ?? false;
}

function negatable(pattern: string, text: string): boolean {
  return isNegation(pattern) ? !globMatches(pattern.slice(1), text) : globMatches(pattern, text);
}

/**
 * Whether the project allows an object of a type. Cluster-scoped types must be in `clusterResourceWhitelist`;
 * namespaced ones are allowed unless there is a `namespaceResourceWhitelist` without them. The blacklists win.
 */
export function resourceDecision(
  project: Project,
  type: GroupKind,
  scope: 'namespaced' | 'cluster',
  name: string,
): Decision {
  const prefix = scope === 'cluster' ? 'clusterResource' : 'namespaceResource';
  const whitelist = listOf(project, `${prefix}Whitelist`);
  const blacklist = listOf(project, `${prefix}Blacklist`);
  const what = `${scope === 'cluster' ? 'cluster-scoped ' : ''}${groupKindString(type)} "${name}"`;
  const inList = (rules: ResourceRule[]) => rules.some((rule) => resourceMatches(rule, type, scope, name));
  if (inList(blacklist ?? []))
    return denied(`project "${project.name}" forbids ${what} (${prefix}Blacklist)`);
  const listed = whitelist === undefined ? scope === 'namespaced' : inList(whitelist);
  return listed ? ALLOWED : denied(`project "${project.name}" does not allow ${what} (${prefix}Whitelist)`);
}

function listOf(project: Project, field: keyof ProjectSpec): ResourceRule[] | undefined {
  const list = project.spec[field];
  return Array.isArray(list) ? (list as ResourceRule[]) : undefined;
}

function resourceMatches(
  rule: ResourceRule,
  type: GroupKind,
  scope: 'namespaced' | 'cluster',
  name: string,
): boolean {
  return (
    globMatches(rule.group ?? '', type.group) &&
    globMatches(rule.kind ?? '', type.kind) &&
    (scope === 'namespaced' || !rule.name || globMatches(rule.name, name))
  );
}

function denied(reason: string): Decision {
  return { allowed: false, reason };
}

const ENFORCED = new Set([
  'description',
  'sourceRepos',
  'destinations',
  'clusterResourceWhitelist',
  'clusterResourceBlacklist',
  'namespaceResourceWhitelist',
  'namespaceResourceBlacklist',
  'syncWindows',
  'destinationServiceAccounts',
]);

/**
 * Fields of a project's `spec` that would be ignored, by name, so that it can be refused instead; empty values (`[]`,
 * `{}`, `false`, null) ask for nothing. `enforcedElsewhere`: fields that the caller enforces itself.
 */
export function unsupportedProjectFields(
  project: Project,
  enforcedElsewhere: readonly string[] = [],
): string[] {
  return Object.entries(project.spec)
    .filter(
      ([field, value]) =>
        !ENFORCED.has(field) && !enforcedElsewhere.includes(field) && !asksNothing(field, value),
    )
    .map(([field]) => `spec.${field}`);
}

function asksNothing(field: string, value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  // An empty `orphanedResources` switches the monitoring on.
  return isRecord(value) && Object.keys(value).length === 0 && field !== 'orphanedResources';
}

/** What is wrong with a project's own rules, in words: `!*` allows nothing and is always a mistake; lists must be lists. */
export function projectProblems(project: Project): string[] {
  const { spec } = project;
  const problems: string[] = [];
  for (const field of ENFORCED) {
    const value = spec[field];
    if (field !== 'description' && value !== undefined && value !== null && !Array.isArray(value)) {
      problems.push(`spec.${field} must be a list`);
    }
  }
  if (problems.length > 0) return problems;
  for (const repo of spec.sourceRepos ?? [])
    if (repo === '!*') problems.push('spec.sourceRepos: "!*" excludes everything');
  for (const item of spec.destinations ?? []) {
    for (const field of ['server', 'name', 'namespace'] as const) {
      if (item[field] === '!*') problems.push(`spec.destinations: ${field} "!*" excludes everything`);
    }
  }
  problems.push(...accountProblems(spec.destinationServiceAccounts ?? []));
  return [...problems, ...windowProblems(spec.syncWindows ?? [])];
}
