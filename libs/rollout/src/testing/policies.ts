import type { RolloutPolicy } from '../policy.ts';
import { parseRolloutPolicy } from '../policy-manifest.ts';

/** A policy of the stages given, in their written form. */
export function policyOf(stages: object[], spec: object = {}): RolloutPolicy {
  return parseRolloutPolicy({
    apiVersion: 'muster.dev/v1alpha1',
    kind: 'RolloutPolicy',
    metadata: { name: 'test' },
    spec: { stages, ...spec },
  });
}
