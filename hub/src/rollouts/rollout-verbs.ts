import type { RolloutVerb } from '@muster/api';
import { MusterError } from '@muster/base';
import type { Rollout, VerbEvent } from '@muster/rollout';

/** What somebody asked, as the machine takes it. Throws `invalid` where it does not say what is meant. */
export function verbEvent(
  asked: RolloutVerb,
  rollout: Rollout,
  by: { actor: string; groups: readonly string[] },
): VerbEvent {
  const { actor, groups } = by;
  const { reason } = asked;
  switch (asked.verb) {
    case 'approve':
    case 'reject': {
      const gate = askedGate(rollout, asked.stage, asked.gate);
      return { kind: asked.verb, ...gate, groups, actor, reason };
    }
    case 'skip':
      return { kind: 'skip', what: skipped(asked), actor, reason };
    case 'retry':
      return { kind: 'retry', ...(asked.targets ? { targets: asked.targets } : {}), actor, reason };
    case 'start':
      return { kind: 'start', targets: asked.targets, actor, reason };
    case 'pause':
    case 'resume':
    case 'abort':
    case 'undo':
      return { kind: asked.verb, actor, reason };
  }
}

/** `failed`: one that was refused, or that nobody gave in time. */
function nothingAsked(failed: { stage: string; gate: string } | undefined): MusterError {
  if (!failed) return new MusterError('precondition', 'no approval is asked for');
  return new MusterError(
    'precondition',
    `no approval is asked for any more: "${failed.gate}" of stage ${failed.stage} has failed`,
    { hint: 'muster rollout retry asks for it anew' },
  );
}

/** The approval that a skip would do without; undefined: it does without none. */
export function skippedApproval(asked: RolloutVerb, { stages, policy }: Rollout): string | undefined {
  if (asked.verb !== 'skip' || asked.gate === undefined) return undefined;
  const index = stages.findIndex(({ name }) => name === asked.stage);
  const gate = policy.stages[index]?.gates.find(({ name }) => name === asked.gate);
  return gate?.kind === 'approval' ? gate.name : undefined;
}

/** The approval that is meant: the one that is open, where only one is. */
function askedGate(rollout: Rollout, stage?: string, gate?: string): { stage: string; gate: string } {
  if (stage !== undefined && gate !== undefined) return { stage, gate };
  const approvals = rollout.stages.flatMap((one, i) =>
    one.gates.flatMap(({ name, status }, k) =>
      rollout.policy.stages[i]!.gates[k]?.kind === 'approval' &&
      (stage === undefined || stage === one.name) &&
      (gate === undefined || gate === name)
        ? [{ stage: one.name, gate: name, status }]
        : [],
    ),
  );
  const open = approvals.filter(({ status }) => status === 'open');
  if (open.length === 1) return { stage: open[0]!.stage, gate: open[0]!.gate };
  if (open.length === 0) throw nothingAsked(approvals.find(({ status }) => status === 'failed'));
  throw new MusterError('invalid', 'several approvals are asked for', {
    hint: `say which: ${open.map((one) => `--stage ${one.stage} --gate ${one.gate}`).join(', or ')}`,
  });
}

function skipped({
  target,
  stage,
  gate,
}: {
  target?: string | undefined;
  stage?: string | undefined;
  gate?: string | undefined;
}): { target: string } | { stage: string; gate?: string } {
  if (target !== undefined && stage === undefined && gate === undefined) return { target };
  if (target === undefined && stage !== undefined) return { stage, ...(gate === undefined ? {} : { gate }) };
  throw new MusterError('invalid', 'skip takes a target, or a stage and maybe one of its gates');
}
