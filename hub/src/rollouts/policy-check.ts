import { MusterError } from '@muster/base';
import { type RolloutPolicy, parseRolloutPolicy } from '@muster/rollout';

export const POLICY_API = 'muster.dev/v1alpha1';

/** A policy that was checked, and its document. */
export interface CheckedPolicy {
  policy: RolloutPolicy;
  manifest: Record<string, unknown>;
}

/** Checks a RolloutPolicy document. Throws `invalid`; `unsupported` for gates that this hub could not judge. */
export function checkPolicy(document: Record<string, unknown>, where: string): CheckedPolicy {
  const policy = parseRolloutPolicy(document, where);
  const problems = policy.stages.flatMap((stage, i) =>
    stage.gates.flatMap((gate, k) => {
      const problem = gateProblem(gate);
      return problem ? [`spec.stages[${i}].gates[${k}] "${gate.name}": ${problem}`] : [];
    }),
  );
  if (problems.length > 0)
    throw new MusterError('unsupported', problems.join('; '), {
      where,
      hint: 'a gate is never passed unjudged: use an approval or windows instead',
    });
  const { status: _status, ...manifest } = document;
  return { policy, manifest };
}

function gateProblem(gate: RolloutPolicy['stages'][number]['gates'][number]): string | undefined {
  switch (gate.kind) {
    case 'approval':
    case 'windows':
      return undefined;
    case 'job':
      return 'a Job in the cluster is not supported yet';
    case 'http':
    case 'prometheus':
      return `${gate.kind} is not supported yet`;
  }
}
