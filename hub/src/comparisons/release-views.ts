import type { ReleaseDetail, ReleaseView } from '@muster/api';
import type { NamedOwner, ReleaseRow } from './comparisons.repository.ts';
import type { SideTarget } from './sides.ts';

const MAX_TARGETS = 1000;

export function releaseView({ owner, ownerName }: NamedOwner, row: ReleaseRow): ReleaseView {
  return {
    id: row.id,
    owner: ownerName,
    ownerKind: owner.kind,
    number: Number(row.number),
    cause: row.cause,
    ...(row.commit === null ? {} : { commit: row.commit }),
    ...(row.message === null ? {} : { message: row.message }),
    ...(row.author === null ? {} : { author: row.author }),
    createdAt: row.created_at.toISOString(),
    targets: row.targets,
    clusters: row.clusters,
    assigned: row.assigned,
    removed: row.removed,
  };
}

/** Targets as they are answered; those beyond the bound are counted. */
export function detailTargets(targets: readonly SideTarget[]): Pick<ReleaseDetail, 'targets' | 'more'> {
  return {
    targets: targets.slice(0, MAX_TARGETS).map((one) => ({
      namespace: one.namespace,
      name: one.name,
      project: one.project,
      cluster: one.cluster,
      ...(one.release === undefined ? {} : { release: one.release }),
      ...(one.bundle === undefined ? {} : { bundle: one.bundle }),
      commits: [...one.commits],
      ...(one.removed ? { removed: one.removed } : {}),
    })),
    more: Math.max(0, targets.length - MAX_TARGETS),
  };
}
