import { type Dependency, type RolloutPolicy, findCycle, inNamespace } from '@muster/rollout';

/** A set, and the policy that its releases go by. */
export interface StagedSet {
  namespace: string;
  name: string;
  policy: Pick<RolloutPolicy, 'stages'>;
}

/**
 * Stages that wait for each other, in words; undefined: none does. A stage waits for the one before it. What waits for a set
 * in its own cluster waits at least for what the first stage of that set's policy waits for.
 */
export function stageCycle(sets: readonly StagedSet[]): string | undefined {
  const edges = new Map<string, string[]>();
  for (const { namespace, name, policy } of sets) {
    const set = `ApplicationSet ${namespace}/${name}`;
    policy.stages.forEach((stage, i) => {
      const waitsFor = inNamespace(stage.dependsOn, namespace).map(nodeOf);
      const before = policy.stages[i - 1];
      edges.set(`stage ${stage.name} of ${set}`, [
        ...(before ? [`stage ${before.name} of ${set}`] : []),
        ...waitsFor,
      ]);
      if (i === 0) edges.set(set, waitsFor);
    });
  }
  const cycle = findCycle(edges, edges.keys());
  const [first, ...others] = cycle ?? [];
  return first && `${first} waits for ${others.join(', which waits for ')}`;
}

function nodeOf(dependency: Dependency): string {
  const set = `ApplicationSet ${dependency.namespace}/${dependency.name}`;
  return dependency.kind === 'stage' ? `stage ${dependency.stage} of ${set}` : set;
}
