import { applyContent, encodeContent } from '../assignments/assignment-content.ts';
import type { Target } from '../releases/targets.ts';
import type { Assigned } from '../assignments/assignment-plan.ts';
import type { ApplicationRecord } from '../applications/application-records.service.ts';
import { limitsOn } from '../projects/project-policy.ts';
import { commitsOf } from '../releases/release-plan.ts';
import type { CommitLabel } from '../releases/releases.service.ts';
import type { IgnoreRule } from '@muster/kube';
import type { Customizations } from '../settings/settings.service.ts';
import type { Rendering } from './renderings.service.ts';

/** Everything that an owner's next release is decided from. */
export interface TargetFacts {
  records: readonly ApplicationRecord[];
  rendering: Rendering;
  previous: readonly Target[];
  assigned: readonly (Assigned & { applicationId: string })[];
  /** Clusters of `previous` that may still be assigned to. */
  clusters: ReadonlySet<string>;
  now: Date;
  /** What settings of the hub add. */
  customizations: Customizations;
  /** Rules of differences that somebody accepted, by Application id. */
  accepted: ReadonlyMap<string, readonly IgnoreRule[]>;
  /** Applications of which only the hub holds anything. */
  hubOnly: ReadonlySet<string>;
  /** Due, but what they made leaves first. */
  waiting: ReadonlySet<string>;
}

export interface OwnerTargets {
  targets: Target[];
  contents: Map<string, Buffer>;
  /** Of each source, by Application. */
  labels: Map<string, CommitLabel[]>;
  /** Applications whose removal starts now. */
  departing: string[];
}

/**
 * The targets of an owner's next release. Rendered Applications get their new content; those that could not be
 * rendered, and those leaving whose grace is not over, keep what they had; the others are removed.
 */
export function ownerTargets(facts: TargetFacts): OwnerTargets {
  const out: OwnerTargets = { targets: [], contents: new Map(), labels: new Map(), departing: [] };
  const previous = groupBy(facts.previous, (target) => target.applicationId);
  const assigned = groupBy(facts.assigned, (row) => row.applicationId);
  for (const record of facts.records) {
    const { row } = record;
    const before = (previous.get(row.id) ?? []).filter((target) => facts.clusters.has(target.clusterId));
    const rows = assigned.get(row.id) ?? [];
    if (isDue(row, facts.now) && !facts.waiting.has(row.id)) {
      out.departing.push(row.id);
      for (const one of rows) {
        // What was signed already stays as it is: a cluster that is being removed decides for all it holds.
        out.targets.push(
          removed(
            record,
            one.clusterId,
            one.action === 'apply' ? (row.leaving_action ?? 'orphan') : one.action,
          ),
        );
      }
    } else if (facts.hubOnly.has(row.id)) {
      // Moved to the hub: what it left behind stays there, as in a move to another cluster.
      for (const one of rows) out.targets.push(removed(record, one.clusterId, 'orphan'));
    } else if (facts.rendering.holdings.has(row.id)) {
      const target = rendered(record, facts, out);
      out.targets.push(target);
      // Moved to another cluster: what it left behind stays there, as in Argo CD.
      for (const one of rows)
        if (one.clusterId !== target.clusterId) out.targets.push(removed(record, one.clusterId, 'orphan'));
    } else {
      out.targets.push(...before);
    }
  }
  return out;
}

/** Whether a removal's grace is over and nothing holds it. */
export function isDue(row: ApplicationRecord['row'], now: Date): boolean {
  if (row.tombstoned_at) return true;
  return row.leaving_at !== null && row.held_reason === null && row.leaving_at <= now;
}

/** What an Application holds that was rendered, and the cluster that is to hold it. */
export interface RenderedContent {
  digest: string;
  content: Buffer;
  bundleDigest: string;
  clusterId: string;
}

/** The assignment of an Application that has a holding. */
export function renderedContent(
  row: Pick<ApplicationRecord['row'], 'id' | 'name'>,
  { rendering, customizations, accepted }: Pick<TargetFacts, 'rendering' | 'customizations' | 'accepted'>,
): RenderedContent {
  const { account, application, cluster, project } = rendering.prepared.get(row.id)!;
  const holding = rendering.holdings.get(row.id)!;
  const bundle = { digest: holding.bundleDigest, size: holding.plainSize };
  const limits = limitsOn(project, cluster, account);
  const { digest, content } = encodeContent(
    applyContent(application, bundle, limits, holding.notices, {
      ignoreDifferences: [...customizations.ignoreDifferences, ...(accepted.get(row.id) ?? [])],
      healthChecks: customizations.checks.get(holding.bundleDigest) ?? [],
      impersonate: account.name,
    }),
  );
  return { digest, content, bundleDigest: holding.bundleDigest, clusterId: cluster.id };
}

function rendered({ row }: ApplicationRecord, facts: TargetFacts, out: OwnerTargets): Target {
  const { sources } = facts.rendering.prepared.get(row.id)!;
  const holding = facts.rendering.holdings.get(row.id)!;
  const { digest, content, clusterId } = renderedContent(row, facts);
  out.contents.set(digest, content);
  const labels = sources.map(({ state, revision }) => ({
    commit: state.commit,
    revision,
    ...(state.message === undefined ? {} : { message: state.message }),
    ...(state.author === undefined ? {} : { author: state.author }),
  }));
  out.labels.set(row.id, labels);
  // A commit that changed nothing keeps the commit that did: the label is not content.
  const known = commitsOf(row);
  const same =
    row.bundle_digest === holding.bundleDigest &&
    row.render_key === holding.inputKey &&
    known.length === labels.length;
  const commits = same ? known : labels.map((label) => label.commit);
  return {
    applicationId: row.id,
    namespace: row.namespace,
    name: row.name,
    clusterId,
    digest,
    bundleDigest: holding.bundleDigest,
    commit: commits[0]!,
    commits: commits.length > 1 ? commits : null,
    removed: null,
  };
}

function removed({ row }: ApplicationRecord, clusterId: string, action: 'orphan' | 'uninstall'): Target {
  return {
    applicationId: row.id,
    namespace: row.namespace,
    name: row.name,
    clusterId,
    digest: null,
    bundleDigest: null,
    commit: null,
    commits: null,
    removed: action,
  };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
