/** Kinds that own Pods, where the tree has not told. */
const WITH_PODS = new Set([
  'Pod',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'Rollout',
]);

export const ownsPods = (kind: string): boolean => WITH_PODS.has(kind);

/** The containers of a Pod, or of the Pods that an object makes; init containers last. None that are known: empty. */
export function containersOf(object: Record<string, unknown> | undefined): string[] {
  const spec = member(object, 'spec');
  const pods =
    object?.['kind'] === 'Pod'
      ? spec
      : (member(member(spec, 'template'), 'spec') ??
        member(member(member(member(spec, 'jobTemplate'), 'spec'), 'template'), 'spec'));
  return ['containers', 'initContainers', 'ephemeralContainers'].flatMap((list) => {
    const all = pods?.[list];
    return Array.isArray(all) ? all.flatMap((each) => nameOf(each)) : [];
  });
}

function nameOf(container: unknown): string[] {
  const name = (container as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? [name] : [];
}

function member(of: Record<string, unknown> | undefined, name: string): Record<string, unknown> | undefined {
  const value = of?.[name];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
