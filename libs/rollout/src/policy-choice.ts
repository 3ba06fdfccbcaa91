import { POLICY_ANNOTATION, type RolloutPolicy } from './policy.ts';
import { rollingSyncPolicy } from './rolling-sync.ts';
import { type Labels, selects } from './selector.ts';

/** Which policy a set's releases go by; none: all targets at once. A problem holds its releases until it is solved. */
export type PolicyChoice =
  | { kind: 'policy'; policy: RolloutPolicy; because: string }
  | { kind: 'none' }
  | { kind: 'problem'; message: string };

/** The annotation decides, then the set's own RollingSync, then the one policy whose selector selects it. */
export function choosePolicy(
  set: { annotations: Labels; labels: Labels; strategy?: unknown },
  policies: readonly RolloutPolicy[],
): PolicyChoice {
  const named = set.annotations[POLICY_ANNOTATION];
  if (named !== undefined) {
    const policy = policies.find(({ name }) => name === named);
    if (policy) return { kind: 'policy', policy, because: `annotation ${POLICY_ANNOTATION}` };
    return {
      kind: 'problem',
      message: `there is no RolloutPolicy "${named}", which ${POLICY_ANNOTATION} names`,
    };
  }
  const own = rollingSyncPolicy(set.strategy);
  if (own) return { kind: 'policy', policy: own, because: 'spec.strategy.rollingSync' };
  const selecting = policies.filter(
    ({ applicationSets }) => applicationSets && selects(applicationSets, set.labels),
  );
  const [policy] = selecting;
  if (!policy) return { kind: 'none' };
  if (selecting.length === 1) return { kind: 'policy', policy, because: 'its labels' };
  const names = selecting.map(({ name }) => name).sort();
  return {
    kind: 'problem',
    message: `several RolloutPolicies select it (${names.join(', ')}): name one with ${POLICY_ANNOTATION}`,
  };
}
