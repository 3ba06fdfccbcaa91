import type { RolloutGateView, RolloutStageDetail } from '@muster/api';
import type { Gate, GateState, Rollout } from '@muster/rollout';

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
  const { name, at, status, since, until, approvals, bad, last } = state;
  return {
    name,
    kind: gate.kind,
    at,
    status,
    since: instant(since),
    ...(until === null ? {} : { until: instant(until) }),
    asks: asksOf(gate),
    ...(gate.kind === 'approval'
      ? { count: gate.count, groups: gate.groups, yours: mayApprove(gate.groups, state, asker) }
      : {}),
    approvals: approvals.map((one) => ({ ...one, at: instant(one.at) })),
    bad,
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

function asksOf(gate: Gate): string {
  switch (gate.kind) {
    case 'approval': {
      const whose = gate.groups.length > 0 ? ` of ${gate.groups.join(' or ')}` : '';
      return `${gate.count} ${gate.count === 1 ? 'approval' : 'approvals'}${whose}`;
    }
    case 'windows':
      return 'a window that is open';
    case 'prometheus':
      return `${gate.query} ${gate.condition.operator} ${gate.condition.value}`;
    case 'http':
      return `${gate.url} answers ${gate.statuses.join(' or ')}`;
    case 'job':
      return 'a Job that succeeds';
  }
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
