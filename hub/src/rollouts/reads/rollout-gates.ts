import type { RolloutGateView, RolloutStageDetail } from '@muster/api';
import {
  type Gate,
  type GateState,
  type Rollout,
  type StageStep,
  hasEnded,
  needsText,
} from '@muster/rollout';

/** Who asks, and whether they may approve at all. */
export interface Asker {
  name: string;
  approver: boolean;
  groups: readonly string[];
}

/** What a stage goes by, and how far its gates are; `delayed`: those that are measured later, by name, and from when on. */
export function stageSettings(
  rollout: Rollout,
  index: number,
  { asker, delayed }: { asker: Asker; delayed: ReadonlyMap<string, number> },
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
      return gate ? [gateView(gate, state, { rollout, index, asker, from: delayed.get(gate.name) })] : [];
    }),
  };
}

interface GateContext {
  rollout: Rollout;
  /** Of its stage. */
  index: number;
  asker: Asker;
  /** When it will first be measured. */
  from: number | undefined;
}

function gateView(
  gate: Gate,
  state: GateState,
  { rollout, index, asker, from }: GateContext,
): RolloutGateView {
  const { name, at, since, until, approvals, bad, last, unknownSince, recent = last ? [last] : [] } = state;
  const status = statusOf(gate, state, rollout.stages[index]!.step);
  const over = status === 'pending' ? overOf(rollout, index, state) : undefined;
  const by = measuredBy(gate);
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
    ...(from === undefined ? {} : { measuredFrom: instant(from) }),
    ...(unknownSince == null || status !== 'open' ? {} : { unknownSince: instant(unknownSince) }),
    ...(last ? { last: { ...last, at: instant(last.at) } } : {}),
    ...(recent.length > 0 ? { recent: recent.map((one) => ({ ...one, at: instant(one.at) })) } : {}),
    ...(by ? { by } : {}),
    ...(over ? { over } : {}),
  };
}

/** Windows are looked at each time: nobody asks them, so that they are behind once their stage is. */
function statusOf(gate: Gate, { status }: GateState, step: StageStep): GateState['status'] {
  if (gate.kind !== 'windows' || status !== 'pending') return status;
  const behind = gate.at === 'end' ? step === 'passed' : step !== 'waiting' && step !== 'entry';
  return behind ? 'passed' : status;
}

function overOf(rollout: Rollout, index: number, { round }: GateState): RolloutGateView['over'] {
  const asks =
    !hasEnded(rollout.phase) && rollout.rollback === null && rollout.stages[index]!.step !== 'passed';
  if (asks) return undefined;
  return round > 0 ? 'undecided' : 'never-reached';
}

function measuredBy(gate: Gate): RolloutGateView['by'] {
  switch (gate.kind) {
    case 'http':
      return 'hub';
    case 'prometheus':
      return gate.from === 'hub' ? 'hub' : 'clusters';
    case 'job':
      return 'clusters';
    case 'approval':
    case 'windows':
      return undefined;
  }
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
