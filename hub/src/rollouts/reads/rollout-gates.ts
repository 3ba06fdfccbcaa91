import type { RolloutGateView, RolloutStageDetail } from '@muster/api';
import { type Gate, type GateState, type Rollout, needsText } from '@muster/rollout';

/** Who asks, and whether they may approve at all. */
export interface Asker {
  name: string;
  approver: boolean;
  groups: readonly string[];
}

/** What a stage goes by, and how far its gates are. */
export function stageSettings(
  rollout: Rollout,
  index: number,
  asker: Asker,
): Pick<
  RolloutStageDetail,
  'slots' | 'tolerated' | 'soakSeconds' | 'deadlineSeconds' | 'onFailure' | 'gates'
> {
  const stage = rollout.stages[index]!;
  const policy = rollout.policy.stages[index]!;
  return {
    slots: stage.slots,
    tolerated: stage.tolerated,
    soakSeconds: policy.soakMs / 1000,
    ...(policy.deadlineMs === null ? {} : { deadlineSeconds: policy.deadlineMs / 1000 }),
    onFailure: policy.onFailure,
    gates: stage.gates.flatMap((state, i) => {
      const gate = policy.gates[i];
      return gate ? [gateView(gate, state, asker)] : [];
    }),
  };
}

function gateView(gate: Gate, state: GateState, asker: Asker): RolloutGateView {
  const { name, at, status, since, until, approvals, bad, last, unknownSince } = state;
  return {
    name,
    kind: gate.kind,
    at,
    status,
    since: instant(since),
    ...(until === null ? {} : { until: instant(until) }),
    asks: needsText(gate),
    ...(gate.kind === 'approval'
      ? { count: gate.count, groups: gate.groups, yours: mayApprove(gate.groups, state, asker) }
      : {}),
    approvals: approvals.map((one) => ({ ...one, at: instant(one.at) })),
    bad,
    ...(unknownSince == null ? {} : { unknownSince: instant(unknownSince) }),
    ...(last ? { last: { ...last, at: instant(last.at) } } : {}),
  };
}

function mayApprove(
  groups: readonly string[],
  state: GateState,
  { name, approver, groups: own }: Asker,
): boolean {
  if (!approver || state.status !== 'open') return false;
  if (state.approvals.some(({ actor }) => actor === name)) return false;
  return groups.length === 0 || groups.some((group) => own.includes(group));
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
