/** One target of the release that an owner is at. */
export interface Target {
  applicationId: string;
  namespace: string;
  name: string;
  clusterId: string;
  /** Null: removed. */
  digest: string | null;
  bundleDigest: string | null;
  /** Of its first source. */
  commit: string | null;
  /** Of each source, where there are several. */
  commits: string[] | null;
  removed: 'orphan' | 'uninstall' | null;
}

/** What a cluster is assigned now. */
export interface Assigned {
  clusterId: string;
  namespace: string;
  name: string;
  action: 'apply' | 'orphan' | 'uninstall';
  digest: string | null;
  epoch: bigint;
}

export type Signing =
  | { kind: 'apply'; target: Target; digest: string }
  | { kind: 'tombstone'; target: Target; action: 'orphan' | 'uninstall' };

/**
 * What has to be signed so that every target is assigned what its release says. Equal digests need nothing, but
 * what was signed under an older epoch is signed again: agents may hold newer records of the lost time.
 */
export function planAssignments(
  targets: readonly Target[],
  assigned: readonly Assigned[],
  epoch: bigint,
): Signing[] {
  const current = new Map(assigned.map((row) => [keyOf(row), row]));
  const out: Signing[] = [];
  for (const target of targets) {
    const row = current.get(keyOf(target));
    if (target.digest !== null) {
      if (row?.action !== 'apply' || row.digest !== target.digest || row.epoch < epoch)
        out.push({ kind: 'apply', target, digest: target.digest });
    } else if (row && target.removed && (row.action !== target.removed || row.epoch < epoch)) {
      out.push({ kind: 'tombstone', target, action: target.removed });
    }
  }
  return out;
}

function keyOf(of: { clusterId: string; namespace: string; name: string }): string {
  return `${of.clusterId}/${of.namespace}/${of.name}`;
}
