import { type RolloutPolicy, parseRolloutPolicy } from '@muster/rollout';

export const POLICY_API = 'muster.dev/v1alpha1';

/** A policy that was checked, and its document. */
export interface CheckedPolicy {
  policy: RolloutPolicy;
  manifest: Record<string, unknown>;
}

/** Checks a RolloutPolicy document. Throws `invalid`. Whether its gates can be measured here is asked when it is applied. */
export function checkPolicy(document: Record<string, unknown>, where: string): CheckedPolicy {
  const policy = parseRolloutPolicy(document, where);
  const { status: _status, ...manifest } = document;
  return { policy, manifest };
}
