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
  /** When the deletion of what asks was approved. */
  approvedAt?: Date | null | undefined;
}

/** What a target holds or could hold. */
export interface Content {
  /** The release that it came with; null: that is forgotten. */
  releaseId: string | null;
  digest: string;
  bundleDigest: string | null;
  commit: string | null;
  commits: string[] | null;
}

/** One Application in one cluster. */
export interface TargetIds {
  applicationId: string;
  clusterId: string;
}

/** A target that is kept from its owner's newest release. */
export interface Hold extends TargetIds {
  /** What it holds instead; null: nothing yet. */
  content: Content | null;
  rolloutId: string | null;
  reason: string;
  /** It goes back: no sync window holds its sync. */
  despiteWindows?: boolean;
  /** Who pinned it there and why, in words; left out: nobody, or it was not asked. */
  pinned?: string | null;
}

/** What a target was healthy at. */
export interface Proof extends TargetIds {
  content: Content;
}

/** A target, and the release that its content came with. */
export type ReleasedTarget = Target & { releaseId: string | null; despiteWindows?: boolean };

/** `application id/cluster id`. */
export function keyOfTarget({ applicationId, clusterId }: TargetIds): string {
  return `${applicationId}/${clusterId}`;
}

/** What a release says of a target; undefined for a removal. */
export function contentOf(target: Target, releaseId: string | null): Content | undefined {
  const { digest, bundleDigest, commit, commits } = target;
  return digest === null ? undefined : { releaseId, digest, bundleDigest, commit, commits };
}

/** The same target with other content. */
export function withContent(target: Target, content: Content): ReleasedTarget {
  const { digest, bundleDigest, commit, commits, releaseId } = content;
  return { ...target, digest, bundleDigest, commit, commits, removed: null, releaseId };
}

/** What targets are to hold now: what they are held at, else what the release says. Removals are not held. */
export function effectiveTargets(
  release: { id: string; targets: readonly Target[] },
  holds: readonly Hold[],
): ReleasedTarget[] {
  const held = new Map(holds.map((hold) => [keyOfTarget(hold), hold]));
  return release.targets.flatMap((target): ReleasedTarget[] => {
    const hold = target.digest === null ? undefined : held.get(keyOfTarget(target));
    if (!hold) return [{ ...target, releaseId: release.id }];
    if (!hold.content) return [];
    const kept = withContent(target, hold.content);
    return [hold.despiteWindows ? { ...kept, despiteWindows: true } : kept];
  });
}
