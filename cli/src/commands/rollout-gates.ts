import type { RolloutDetail, RolloutGateView } from '@muster/api';
import type { Context } from '../host.ts';
import { age, plain, table } from '../output.ts';

/** A gate, and whose it is. */
export type GateOfStage = RolloutGateView & { stage: string };

export function gatesOf({ progress }: Pick<RolloutDetail, 'progress'>): GateOfStage[] {
  return progress.flatMap(({ name, gates }) => gates.map((one) => ({ ...one, stage: name })));
}

/** Each gate with how far it is, who measures it, and what that came to last. */
export function gateTable(gates: readonly GateOfStage[], context: Context): string {
  return table(
    gates,
    [
      { title: 'GATE', value: ({ name }) => name },
      { title: 'STAGE', value: ({ stage }) => stage },
      { title: 'IS', value: (gate) => gateWord(gate, context) },
      { title: 'BY', value: ({ by }) => by },
      { title: 'LAST', value: (gate) => plain(lastOf(gate)) || undefined },
      { title: 'MEASURED', value: ({ last }) => last && `${age(last.at, context.now())} ago` },
      { title: 'NEEDS', value: ({ asks }) => plain(asks) },
    ],
    context.terminal.colour,
  );
}

const GATE_OVER = { 'never-reached': 'never reached', undecided: 'not decided' } as const;

function gateWord(gate: RolloutGateView, context: Context): string {
  const { kind, status, over, measuredFrom, unknownSince, approvals, count = 1 } = gate;
  if (over) return GATE_OVER[over];
  if (measuredFrom) return `measured from ${measuredFrom.slice(11, 16)} UTC`;
  if (unknownSince && status === 'open') return `not measurable for ${age(unknownSince, context.now())}`;
  if (kind === 'approval' && status === 'open') return `${approvals.length} of ${count} approved`;
  return status === 'pending' ? 'not asked yet' : status;
}

function lastOf({ last, approvals }: RolloutGateView): string {
  if (last) return `${last.verdict}: ${last.detail}`;
  return approvals
    .map(({ actor, reason }) => `approved by ${actor}${reason ? `: ${reason}` : ''}`)
    .join('; ');
}

/** What is still missing after an approval, by the approvals that are waited for. */
export function missingApprovals({ waitingFor }: Pick<RolloutDetail, 'waitingFor'>): string[] {
  return waitingFor.filter(({ what }) => what === 'approval').map(({ text }) => plain(`waits for ${text}`));
}

/** The newest measurements of gates, one line each, the newest first. */
export function measurementLines(gates: readonly GateOfStage[], context: Context): string[] {
  return gates.flatMap(({ name, stage, by, recent = [], asks }) =>
    recent.length === 0
      ? []
      : [
          '',
          `Measured by ${by === 'hub' ? 'the hub' : 'the agents'} for "${name}" of stage ${stage} (needs ${plain(asks)}):`,
          ...recent
            .toReversed()
            .map(({ at, verdict, detail }) =>
              plain(`  ${age(at, context.now())} ago  ${verdict}: ${detail}`),
            ),
        ],
  );
}
