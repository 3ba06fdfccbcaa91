import type { ApplicationSet, Generator } from '../types.ts';

/** What may stand in a matrix beside the clusters: the same for every cluster, as long as the files are the same. */
const STEADY = new Set(['list', 'git', 'matrix']);
/** Generators whose answers change without anyone telling. */
const ASKING = ['scmProvider', 'pullRequest', 'clusterDecisionResource', 'plugin'];
/** Functions of templates whose answer is another one each time; a text that only looks like one is taken for one. */
const UNSTEADY =
  /\b(now|ago|date\w*|htmlDate\w*|unixEpoch|rand\w*|shuffle|uuidv4|gen[A-Z]\w*|htpasswd|bcrypt|encryptAES)\b/;

/**
 * Whether each Application of a set comes from one cluster at most, whatever the other clusters are. Then an expansion
 * over a few clusters makes of them what an expansion over all would make of them, and all else stays as it was while
 * the set and the files that it reads stay the same. False where that is not certain.
 */
export function isSeparable({ spec }: ApplicationSet): boolean {
  if (UNSTEADY.test(JSON.stringify(spec))) return false;
  return (spec.generators ?? []).every((generator) => isSteady(generator) || isOfOneCluster(generator));
}

/** The set without the generators that no cluster goes into: what they make does not change with clusters. */
export function ofClustersOnly(set: ApplicationSet): ApplicationSet {
  const generators = (set.spec.generators ?? []).filter((generator) => clustersIn(generator) > 0);
  return { ...set, spec: { ...set.spec, generators } };
}

function isSteady(generator: Generator): boolean {
  return clustersIn(generator) === 0 && !kindsIn(generator).some((kind) => ASKING.includes(kind));
}

function isOfOneCluster(generator: Generator): boolean {
  if (clustersIn(generator) !== 1 || generator.clusters?.flatList) return false;
  return (
    kindsOf(generator).every((kind) => kind === 'clusters' || STEADY.has(kind)) &&
    namesItsRepository(generator) &&
    children(generator).every((child) => isSteadyChild(child) || isOfOneCluster(child))
  );
}

function isSteadyChild(generator: Generator): boolean {
  return (
    clustersIn(generator) === 0 &&
    kindsIn(generator).every((kind) => STEADY.has(kind)) &&
    [generator, ...children(generator)].every(namesItsRepository)
  );
}

/** A repository that a cluster's label names is known only once all clusters were looked at. */
function namesItsRepository({ git }: Generator): boolean {
  return !`${git?.repoURL ?? ''} ${git?.revision ?? ''}`.includes('{{');
}

function clustersIn(generator: Generator): number {
  return kindsIn(generator).filter((kind) => kind === 'clusters').length;
}

/** Every kind that a generator and those in it name. */
function kindsIn(generator: Generator): string[] {
  return [...kindsOf(generator), ...children(generator).flatMap(kindsIn)];
}

function kindsOf(generator: Generator): string[] {
  const named = Object.entries(generator ?? {}).filter(([, spec]) => spec !== null && spec !== undefined);
  return named.map(([kind]) => kind).filter((kind) => kind !== 'selector');
}

function children(generator: Generator): Generator[] {
  const inside = [generator?.matrix?.generators, generator?.merge?.generators];
  return inside.flatMap((some) => (Array.isArray(some) ? some : []));
}
