import { type Application, type Expansion, type WantedApplication, mayDelete } from '@muster/appset';
import type { ApplicationSet } from '@muster/appset';
import type { ChangedApplication } from '../applications/application-records.service.ts';
import type { Decision } from './expansion-results.service.ts';

/** What the last expansion of a set came to, as far as the next one needs it to do the changed clusters only. */
export interface KnownExpansion {
  /** Equal: the set, the projects and the files that it reads are what they were. */
  inputs: string;
  /** Where the registry, and the set's Applications, are read on from. */
  registryAt: string;
  applicationsAt: string;
  /** The transaction that wrote last: what it changed is known. */
  own: string;
  /** The hash of what is stored, by name; every one of them belongs to the set. */
  wanted: Map<string, string>;
  /** The set's other Applications: they are leaving, or nothing deletes them. */
  leftovers: Set<string>;
  /** Names by the cluster that they were generated from. */
  byCluster: Map<string, string[]>;
}

/** What was generated again: parts of `decision.wanted` by cluster id. */
export type Regenerated = ReadonlyMap<string, readonly WantedApplication<Application>[]>;

/** Sorts what was wanted by the cluster it came from; undefined where an origin is not among the clusters given. */
export function byOrigin<One>(
  ones: readonly One[],
  origins: readonly (string | undefined)[],
  clusters: readonly { id: string; name: string }[],
): Map<string, One[]> | undefined {
  const ids = new Map(clusters.map(({ id, name }) => [name, id]));
  const out = new Map<string, One[]>();
  for (const [i, one] of ones.entries()) {
    const origin = origins[i];
    if (origin === undefined) continue;
    const id = ids.get(origin);
    if (id === undefined) return undefined;
    const some = out.get(id);
    if (some) some.push(one);
    else out.set(id, [one]);
  }
  return out;
}

/** What is to be known of a whole expansion; undefined where something of it was not carried out. */
export function knownOf(
  expansion: Expansion,
  decision: Decision,
  clusters: readonly { id: string; name: string }[],
  at: Pick<KnownExpansion, 'inputs' | 'registryAt' | 'applicationsAt' | 'own'>,
): KnownExpansion | undefined {
  const { plan, wanted } = decision;
  if (plan.problems.length > 0 || Object.keys(expansion.validationErrors).length > 0) return undefined;
  const origins = expansion.origins && byOrigin(wanted, expansion.origins, clusters);
  if (!origins) return undefined;
  const hashes = storedHashes(decision);
  const known: KnownExpansion = {
    ...at,
    wanted: new Map(wanted.map(({ name }) => [name, hashes.get(name)!])),
    leftovers: new Set(),
    byCluster: new Map([...origins].map(([id, some]) => [id, some.map(({ name }) => name)])),
  };
  for (const { row } of decision.records.values())
    if (!known.wanted.has(row.name)) known.leftovers.add(row.name);
  return known;
}

/** What is stored under each name once the plan is carried out: not all that is wanted may be written. */
function storedHashes({ plan, wanted, records }: Decision): Map<string, string> {
  const hashes = new Map(wanted.map(({ name, hash }) => [name, hash]));
  for (const { row } of records.values()) if (hashes.has(row.name)) hashes.set(row.name, row.manifest_hash);
  for (const { name, hash } of plan.write) hashes.set(name, hash);
  return hashes;
}

/**
 * The names that changed clusters made and make; undefined where one that they make now is made by another cluster,
 * or by none, already.
 */
export function touchedNames(
  known: KnownExpansion,
  changed: readonly string[],
  generated: readonly string[],
): Set<string> | undefined {
  const touched = new Set(changed.flatMap((id) => known.byCluster.get(id) ?? []));
  for (const name of generated) {
    if (known.wanted.has(name) && !touched.has(name)) return undefined;
  }
  for (const name of generated) touched.add(name);
  return touched;
}

/**
 * Whether the set's Applications, but for those touched, are as the last expansion left them, or so that an expansion
 * would leave them alone. `changed`: all that may be different; `total`: how many the set has.
 */
export function isUndisturbed(
  known: KnownExpansion,
  { total, changed }: { total: number; changed: readonly ChangedApplication[] },
  touched: ReadonlySet<string>,
  set: ApplicationSet,
): boolean {
  const added = changed.filter(({ name }) => !known.wanted.has(name) && !known.leftovers.has(name));
  if (total !== known.wanted.size + known.leftovers.size + added.length) return false;
  return changed.every(({ name, hash, going }) => {
    if (touched.has(name)) return true;
    if (known.wanted.has(name)) return !going && known.wanted.get(name) === hash;
    return going || !mayDelete(set.spec.syncPolicy?.applicationsSync ?? 'sync');
  });
}

/** Brings what is known up to an expansion of the changed clusters that was carried out. */
export function advance(
  known: KnownExpansion,
  changed: readonly string[],
  regenerated: Regenerated,
  decision: Decision,
  others: readonly ChangedApplication[],
  at: Pick<KnownExpansion, 'registryAt' | 'applicationsAt' | 'own'>,
): KnownExpansion {
  const hashes = storedHashes(decision);
  for (const id of changed) {
    for (const name of known.byCluster.get(id) ?? []) known.wanted.delete(name);
    known.byCluster.delete(id);
  }
  for (const [id, some] of regenerated) {
    known.byCluster.set(
      id,
      some.map(({ name }) => name),
    );
    for (const { name } of some) {
      known.wanted.set(name, hashes.get(name)!);
      known.leftovers.delete(name);
    }
  }
  const there = [...decision.records.values()].map(({ row }) => row.name);
  for (const name of [...there, ...others.map((one) => one.name)])
    if (!known.wanted.has(name)) known.leftovers.add(name);
  return Object.assign(known, at);
}
