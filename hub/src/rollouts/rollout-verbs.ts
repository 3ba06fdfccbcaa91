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

/** The approval that is meant: the one that is open, where only one is. */
function askedGate(rollout: Rollout, stage?: string, gate?: string): { stage: string; gate: string } {
  if (stage !== undefined && gate !== undefined) return { stage, gate };
  const open = rollout.stages.flatMap((one, i) =>
    one.gates.flatMap(({ name, status }, k) =>
      status === 'open' &&
      rollout.policy.stages[i]!.gates[k]?.kind === 'approval' &&
      (stage === undefined || stage === one.name) &&
      (gate === undefined || gate === name)
        ? [{ stage: one.name, gate: name }]
        : [],
    ),
  );
  if (open.length === 1) return open[0]!;
  if (open.length === 0) throw new MusterError('precondition', 'no approval is asked for');
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
