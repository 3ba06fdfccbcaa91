import type { RolloutPolicy } from './policy.ts';

/**
 * The policy of a rollout that takes a fleet back to an earlier release by hand (`kind: 'undo'`): one stage with the slots, the
 * deadline and the windows that the policy has for going back. What fails is shown, and keeps nothing else from going back.
 */
export function undoPolicy(policy: RolloutPolicy): RolloutPolicy {
  const { maxConcurrent, deadlineMs, windowsHold } = policy.rollback;
  const all = { matchLabels: {}, matchExpressions: [] };
  return {
    ...policy,
    windows: windowsHold ? policy.windows : [],
    pruneApproval: null,
    stages: [
      {
        name: 'undo',
        clusters: all,
        applications: all,
        take: null,
        maxConcurrent,
        order: { by: 'name', descending: false },
        rate: { perMinute: null, jitter: 0, perLabel: null },
        soakMs: 0,
        deadlineMs,
        failureBudget: { percent: 100 },
        failOnDegraded: false,
        offline: { mode: 'catch-up', afterMs: 60_000 },
        onFailure: 'stop',
        gates: [],
        production: false,
        dependsOn: [],
      },
    ],
  };
}
