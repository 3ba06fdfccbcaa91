import type { Application } from '@muster/appset';
import { MusterError } from '@muster/base';
import type { PlanRequest } from '@muster/api';
import type { Project } from '@muster/kube';
import type { ApplicationRecord } from '../applications/application-records.service.ts';
import { sourcesOf } from '../applications/application-sources.ts';
import type { SupposedSet } from '../applicationsets/supposed-sets.service.ts';
import type { ClusterFacts } from '../clusters/clusters.service.ts';
import { parseRepositoryUrl } from '../sources/repository-url.ts';
import type { RevisionState } from '../sources/sources.service.ts';

/** The world of a plan: as it is, but for what the request supposes. */
export interface Supposition {
  /** As they would be applied. */
  sets: SupposedSet[];
  applications: { namespace: string; application: Application }[];
  /** All there would be, by name. */
  projects: Map<string, Project>;
  changedProjects: string[];
  clusters: ClusterFacts[];
  /** Some cluster's labels would be others. */
  relabelled: boolean;
  /** Where some revisions would point, by `stateKey`. */
  revisions: Map<string, RevisionState>;
  /** By repository id: the followed revisions that would point elsewhere. */
  moved: Map<string, string[]>;
  /** The same by the repository's normalised URL. */
  movedUrls: Map<string, Set<string>>;
  notices: string[];
}

/** Whether an Application would have to be rendered again though its specification stays. */
export function isConcerned({ row, manifest }: ApplicationRecord, supposition: Supposition): boolean {
  if (row.leaving_at !== null || row.tombstoned_at !== null) return false;
  if (supposition.changedProjects.includes(row.project)) return true;
  return sourcesOf(manifest).some(({ repoURL, targetRevision }) =>
    supposition.movedUrls.get(normalised(repoURL))?.has(targetRevision || 'HEAD'),
  );
}

/** Equal for URLs of one repository; the text itself for what is none. */
export function normalised(url: string): string {
  try {
    return parseRepositoryUrl(url).normalised;
  } catch {
    return url;
  }
}

/** The clusters with changed labels, as `kubectl label` changes them. Throws `not-found` for one that is not active. */
export function relabelled(
  clusters: readonly ClusterFacts[],
  changes: PlanRequest['labels'],
): { clusters: ClusterFacts[]; changed: boolean } {
  const labels = new Map(clusters.map((cluster) => [cluster.name, cluster.labels]));
  let changed = false;
  for (const { cluster, set, remove } of changes) {
    const before = labels.get(cluster);
    if (!before)
      throw new MusterError('not-found', `there is no active cluster ${cluster}`, {
        where: 'labels',
        hint: 'muster cluster list',
      });
    const kept = Object.entries(before).filter(([key]) => !remove.includes(key));
    const after = { ...Object.fromEntries(kept), ...set };
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    changed ||= [...keys].some((key) => before[key] !== after[key]);
    labels.set(cluster, after);
  }
  return { clusters: clusters.map((one) => ({ ...one, labels: labels.get(one.name)! })), changed };
}
