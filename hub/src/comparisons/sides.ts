import { patternOf } from '@muster/kube';

/** What one Application holds in one cluster, or held with a release. */
export interface SideTarget {
  applicationId: string;
  clusterId: string;
  namespace: string;
  name: string;
  project: string;
  cluster: string;
  /** Of the release that it came with; undefined: forgotten. */
  release: number | undefined;
  /** Undefined: nothing. */
  bundle: string | undefined;
  commits: readonly string[];
  removed?: 'orphan' | 'uninstall' | undefined;
}

/** Manifests that are compared, and for whom: targets of B, or of A where B has none. */
export interface Comparison {
  before: string | undefined;
  after: string | undefined;
  pairs: { before: SideTarget | undefined; after: SideTarget | undefined }[];
}

export interface Comparisons {
  list: Comparison[];
  /** Another environment: names and namespaces are expected to differ. */
  loosely: boolean;
  notices: string[];
}

/**
 * What to compare with what: the same Application in the same cluster; else, between environments, Applications that are
 * called alike but for the names of their clusters and owners. Each pair of bundles is one comparison.
 */
export function comparisonsOf(
  a: { owner: string; targets: readonly SideTarget[] },
  b: { owner: string; targets: readonly SideTarget[] },
): Comparisons {
  const known = new Set(a.targets.map(keyOf));
  if (b.targets.some((target) => known.has(keyOf(target)))) {
    const before = new Map(a.targets.map((target) => [keyOf(target), target]));
    const after = new Map(b.targets.map((target) => [keyOf(target), target]));
    const keys = [...new Set([...before.keys(), ...after.keys()])];
    return {
      list: gathered(keys.map((key) => ({ before: before.get(key), after: after.get(key) }))),
      loosely: false,
      notices: [],
    };
  }
  return betweenEnvironments(a, b);
}

function betweenEnvironments(
  a: { owner: string; targets: readonly SideTarget[] },
  b: { owner: string; targets: readonly SideTarget[] },
): Comparisons {
  let left = byPattern(a.owner, a.targets);
  let right = byPattern(b.owner, b.targets);
  // Called differently, but there is nothing else that it could be compared with.
  if (![...right.keys()].some((key) => left.has(key)) && (left.size === 1 || right.size === 1)) {
    left = new Map([['', [...a.targets]]]);
    right = new Map([['', [...b.targets]]]);
  }
  const notices: string[] = [];
  const pairs: Comparison['pairs'] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const olds = left.get(key) ?? [];
    const nows = right.get(key) ?? [];
    if (nows.length === 0) pairs.push(...olds.map((before) => ({ before, after: undefined })));
    const [most] = byCount(olds);
    const bundles = new Set(olds.map(({ bundle }) => bundle));
    if (bundles.size > 1 && nows.length > 0)
      notices.push(
        `${bundles.size} different manifests of ${most!.name} and those called alike: compared with those of ${most!.name} on ${most!.cluster}`,
      );
    for (const after of nows)
      pairs.push({ before: olds.find(({ bundle }) => bundle === after.bundle) ?? most, after });
  }
  return { list: gathered(pairs), loosely: true, notices };
}

function byPattern(owner: string, targets: readonly SideTarget[]): Map<string, SideTarget[]> {
  const found = new Map<string, SideTarget[]>();
  for (const target of targets) {
    const key = patternOf(patternOf(target.name, [target.cluster]), [owner]);
    const known = found.get(key);
    if (known) known.push(target);
    else found.set(key, [target]);
  }
  return found;
}

/** Those whose manifests most have come first. */
function byCount(targets: readonly SideTarget[]): SideTarget[] {
  const counts = new Map<string | undefined, number>();
  for (const { bundle } of targets) counts.set(bundle, (counts.get(bundle) ?? 0) + 1);
  return [...targets].sort((x, y) => counts.get(y.bundle)! - counts.get(x.bundle)!);
}

function gathered(pairs: Comparison['pairs']): Comparison[] {
  const found = new Map<string, Comparison>();
  for (const pair of pairs) {
    const [before, after] = [pair.before?.bundle, pair.after?.bundle];
    if (before === undefined && after === undefined) continue;
    const key = `${before ?? ''} ${after ?? ''}`;
    const known = found.get(key);
    if (known) known.pairs.push(pair);
    else found.set(key, { before, after, pairs: [pair] });
  }
  return [...found.values()];
}

function keyOf({ applicationId, clusterId }: SideTarget): string {
  return `${applicationId}/${clusterId}`;
}
