import type { Target } from '../releases/targets.ts';

/** What a cluster is assigned now. */
export interface Assigned {
  clusterId: string;
  namespace: string;
  name: string;
  action: 'apply' | 'orphan' | 'uninstall';
  digest: string | null;
  /** Of the sync windows that it was signed with; '': none. */
  windowsDigest: string;
  epoch: bigint;
  signedAt?: Date | undefined;
  generation: bigint;
}

export type Signing<T extends Target = Target> =
  | { kind: 'apply'; target: T; digest: string }
  | { kind: 'tombstone'; target: T; action: 'orphan' | 'uninstall' };

/**
 * What has to be signed so that every target is assigned what its release says. Equal digests need nothing, but
 * what was signed under an older epoch is signed again: agents may hold newer records of the lost time. So is what was
 * signed with other windows than it has now.
 */
export function planAssignments<T extends Target>(
  targets: readonly T[],
  assigned: readonly Assigned[],
  epoch: bigint,
  windowsDigest: (target: T) => string = () => '',
): Signing<T>[] {
  const current = new Map(assigned.map((row) => [keyOf(row), row]));
  const out: Signing<T>[] = [];
  for (const target of targets) {
    const row = current.get(keyOf(target));
    if (target.digest !== null) {
      const same = row?.action === 'apply' && row.digest === target.digest && row.epoch >= epoch;
      if (!same || row.windowsDigest !== windowsDigest(target))
        out.push({ kind: 'apply', target, digest: target.digest });
    } else if (row && target.removed && outdated(row, target, target.removed, epoch)) {
      out.push({ kind: 'tombstone', target, action: target.removed });
    }
  }
  return out;
}

function outdated(row: Assigned, target: Target, removed: 'orphan' | 'uninstall', epoch: bigint): boolean {
  if (row.action !== removed || row.epoch < epoch) return true;
  // Approved since it was signed: the tombstone has to say so.
  const { approvedAt } = target;
  return approvedAt != null && row.signedAt !== undefined && row.signedAt <= approvedAt;
}

function keyOf(of: { clusterId: string; namespace: string; name: string }): string {
  return `${of.clusterId}/${of.namespace}/${of.name}`;
}
