import { type Json, MusterError, canonicalJson, parseDocument, sha256 } from '@muster/base';

/** A dependency as a Chart.yaml (or requirements.yaml) lists it. */
export interface ChartDependency {
  name: string;
  version: string;
  repository: string;
  alias: string;
}

/** What a chart depends on; `locked` where a lock beside it says which versions. */
export interface ChartDependencies {
  wanted: ChartDependency[];
  locked: boolean;
}

const MAX_DEPENDENCIES = 100;
/** In the order in which Helm writes them; the empty ones are left out but for these two. */
const FIELDS = ['name', 'version', 'repository', 'condition', 'tags', 'enabled', 'import-values', 'alias'];

/**
 * What a chart depends on, with the versions of its lock where it has one. Throws `invalid` for a lock that does not
 * belong to the list, as `helm dependency build` does.
 */
export function dependenciesOf(
  chart: { text: string; where: string },
  lock: { text: string; where: string } | undefined,
): ChartDependencies {
  const listed = listOf(parseDocument(chart.text, { file: chart.where }), chart.where);
  if (!lock) return { wanted: listed.map((one) => dependencyOf(one)), locked: false };
  const document = parseDocument(lock.text, { file: lock.where });
  const locked = listOf(document, lock.where);
  if (!inStep(listed, locked, document)) {
    throw new MusterError('invalid', `it is out of step with the dependencies in ${chart.where}`, {
      where: lock.where,
      hint: 'run helm dependency update and commit both',
    });
  }
  return {
    wanted: listed.map((one, i) => ({
      ...dependencyOf(one),
      version: textOf(locked[i]!['version']),
    })),
    locked: true,
  };
}

/** By the lock's digest, which has URLs where the list has names of repositories; or the one that Helm 2 computed. */
function inStep(
  listed: readonly Record<string, Json>[],
  locked: readonly Record<string, Json>[],
  lock: Json,
): boolean {
  const digest = isObject(lock) ? lock['digest'] : undefined;
  const named = /^(@|alias:)/;
  const asked = listed.map((one, i) =>
    named.test(textOf(one['repository'])) ? { ...one, repository: locked[i]?.['repository'] ?? '' } : one,
  );
  const same =
    asked.length === locked.length &&
    asked.every(
      (one, i) =>
        textOf(one['name']) === textOf(locked[i]!['name']) &&
        textOf(one['repository']) === textOf(locked[i]!['repository']),
    );
  return same && (digest === lockDigest(asked, locked) || digest === oldDigest(listed));
}

function listOf(document: Json, where: string): Record<string, Json>[] {
  const listed = isObject(document) ? (document['dependencies'] ?? []) : [];
  if (!Array.isArray(listed) || !listed.every(isObject))
    throw new MusterError('invalid', 'dependencies is not a list of dependencies', { where });
  if (listed.length > MAX_DEPENDENCIES)
    throw new MusterError('limit', `more than ${MAX_DEPENDENCIES} dependencies`, { where });
  return listed;
}

function dependencyOf(one: Record<string, Json>): ChartDependency {
  return {
    name: textOf(one['name']),
    version: textOf(one['version']),
    repository: textOf(one['repository']),
    alias: textOf(one['alias']),
  };
}

/** As Helm 3 and 4 compute it: over both lists as Go writes them in JSON. */
export function lockDigest(
  wanted: readonly Record<string, Json>[],
  locked: readonly Record<string, Json>[],
): string {
  const list = (all: readonly Record<string, Json>[]) => `[${all.map(goJson).join(',')}]`;
  return `sha256:${sha256(`[${list(wanted)},${list(locked)}]`)}`;
}

/** As Helm 2 computes it: of what is wanted only. */
function oldDigest(wanted: readonly Record<string, Json>[]): string {
  return `sha256:${sha256(`{"dependencies":[${wanted.map(goJson).join(',')}]}`)}`;
}

function goJson(one: Record<string, Json>): string {
  const members = FIELDS.flatMap((field) => {
    const value = one[field];
    const always = field === 'name' || field === 'repository';
    const empty = value === undefined || value === null || value === '' || value === false;
    if (empty || (Array.isArray(value) && value.length === 0)) return always ? [`"${field}":""`] : [];
    return [`"${field}":${canonicalJson(value)}`];
  });
  return `{${members.join(',')}}`.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function textOf(value: Json | undefined): string {
  return value === undefined || value === null ? '' : String(value);
}

function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
