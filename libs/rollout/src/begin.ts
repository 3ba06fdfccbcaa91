import type { Gate, Order, RolloutPolicy, StagePolicy } from './policy.ts';
import { shareOf, toleratedOf } from './quantity.ts';
import { nextRandom } from './random.ts';
import { selects } from './selector.ts';
import type {
  GateState,
  ReleaseRef,
  Removals,
  Rollout,
  RolloutState,
  StageState,
  Target,
  TargetInput,
} from './types.ts';

export interface BeginInput {
  id: string;
  kind: 'release' | 'undo';
  policy: RolloutPolicy;
  from: ReleaseRef | null;
  to: ReleaseRef;
  /** All targets of the release; those that hold its digest already take no part. Removals are no matter of rollouts. */
  targets: readonly TargetInput[];
  /** A whole number; what is random follows from it. */
  seed: number;
  now: number;
  /** It was paused while it waited for its turn. */
  paused?: Rollout['paused'];
}

/** A rollout that waits for its turn: nothing is frozen before `begin` makes it anew, under the same id. */
export function enqueue(input: Omit<BeginInput, 'targets'>): RolloutState {
  const { rollout, targets } = begin({ ...input, targets: [] });
  return { rollout: { ...rollout, phase: 'pending' }, targets };
}

/** Freezes a rollout: which target is in which stage and in which order, and what every percentage comes to. */
export function begin(input: BeginInput): RolloutState {
  const { policy, now } = input;
  const moving = input.targets.filter((target) => target.from !== target.to);
  const random = { state: input.seed >>> 0 };
  const stageOf = stagesOf(policy.stages, moving, random);
  const members = policy.stages.map((_, i) => moving.filter((target) => stageOf.get(target.id) === i));
  const stages = policy.stages.map((stage, i) => frozenStage(stage, members[i]!, policy, now));
  // The gate of a release that prunes is part of the frozen policy like any other.
  const frozen = {
    ...policy,
    stages: policy.stages.map((stage, i) => ({ ...stage, gates: gatesOf(stage, members[i]!, policy) })),
  };
  const targets = new Map<string, Target>();
  for (const [stage, all] of [...members, moving.filter(({ id }) => !stageOf.has(id))].entries()) {
    const has = stage < members.length ? stage : null;
    const order = has === null ? BY_NAME : policy.stages[stage]!.order;
    for (const [position, target] of sorted(all, order, random).entries())
      targets.set(target.id, frozenTarget(target, has, position, policy, now));
  }
  const rollout: Rollout = {
    id: input.id,
    kind: input.kind,
    policy: frozen,
    from: input.from,
    to: input.to,
    phase: 'running',
    since: now,
    clock: now,
    createdAt: now,
    paused: input.paused ?? null,
    stage: 0,
    stages,
    failure: null,
    rollback: null,
    headHeld: false,
    random: random.state,
    supersededBy: null,
  };
  return { rollout, targets };
}

const BY_NAME: Order = { by: 'name', descending: false };

/** The stage that a target would have had which joins later: one that takes all it selects, else the last that selects it. */
export function stageOfJoiner(stages: readonly StagePolicy[], target: TargetInput): number | null {
  const selecting = stages.flatMap((stage, i) => (selectedBy(stage, target) ? [i] : []));
  return selecting.find((i) => stages[i]!.take === null) ?? selecting.at(-1) ?? null;
}

export function frozenTarget(
  input: TargetInput,
  stage: number | null,
  position: number,
  policy: RolloutPolicy,
  now: number,
): Target {
  const cap = stage === null ? null : policy.stages[stage]!.rate.perLabel;
  return {
    id: input.id,
    cluster: input.cluster,
    application: input.application,
    stage,
    position,
    counted: stage !== null && !input.pinned,
    capValue: cap ? (input.clusterLabels[cap.label] ?? '') : null,
    from: input.from,
    proven: input.proven,
    to: input.to,
    state: input.pinned ? 'pinned' : stage === null ? 'manual' : 'waiting',
    since: now,
    note: input.pinned ?? null,
    holds: input.holds ?? input.from,
    touched: input.holds === input.to,
    version: null,
    assignedAt: null,
    healthySince: null,
    dueAt: null,
    breaks: 0,
    proved: false,
    observation: null,
    connected: input.connected,
    connectedSince: now,
    blocked: null,
    window: null,
  };
}

type Placed = Pick<TargetInput, 'id' | 'cluster' | 'clusterLabels' | 'pinned' | 'unsettled'>;

export function selectedBy(
  stage: StagePolicy,
  { clusterLabels, applicationLabels }: Pick<TargetInput, 'clusterLabels' | 'applicationLabels'>,
): boolean {
  return selects(stage.clusters, clusterLabels) && selects(stage.applications, applicationLabels);
}

interface Random {
  state: number;
}

function stagesOf(
  stages: readonly StagePolicy[],
  moving: readonly TargetInput[],
  random: Random,
): Map<string, number> {
  const stageOf = new Map<string, number>();
  for (const [i, stage] of stages.entries()) {
    const left = moving.filter((target) => !stageOf.has(target.id) && selectedBy(stage, target));
    for (const target of taken(stage, left, random)) stageOf.set(target.id, i);
  }
  return stageOf;
}

/** Pinned targets are in the stage that selects them, but nobody's share is counted by them or used up for them. */
export function taken<T extends Placed>(stage: StagePolicy, left: readonly T[], random: Random): T[] {
  const { take } = stage;
  if (!take) return [...left];
  const free = left.filter((target) => !target.pinned);
  const groups = new Map<string, T[]>();
  for (const target of sorted(free, stage.order, random)) {
    const value = take.per === null ? '' : (target.clusterLabels[take.per] ?? '');
    const group = groups.get(value);
    if (group) group.push(target);
    else groups.set(value, [target]);
  }
  return [...groups.values()].flatMap((group) => group.slice(0, shareOf(take.quantity, group.length)));
}

/** In order, but first those that an earlier rollout left on their way: no others are disturbed before they are whole again. */
function sorted<T extends Placed>(targets: readonly T[], order: Order, random: Random): T[] {
  const all = ordered(targets, order, random);
  return [...all.filter(({ unsettled }) => unsettled), ...all.filter(({ unsettled }) => !unsettled)];
}

function ordered<T extends Placed>(targets: readonly T[], order: Order, random: Random): T[] {
  const byName = [...targets].sort((a, b) => compare(a.cluster, b.cluster) || compare(a.id, b.id));
  switch (order.by) {
    case 'name':
      return order.descending ? byName.reverse() : byName;
    case 'label': {
      const value = (target: T) => target.clusterLabels[order.label] ?? '';
      const sign = order.descending ? -1 : 1;
      return byName.sort((a, b) => sign * compare(value(a), value(b)));
    }
    case 'random': {
      for (let i = byName.length - 1; i > 0; i--) {
        const drawn = nextRandom(random.state);
        random.state = drawn.state;
        const k = Math.floor(drawn.value * (i + 1));
        [byName[i], byName[k]] = [byName[k]!, byName[i]!];
      }
      return byName;
    }
  }
}

/** Numbers in names count as numbers: cluster-2 comes before cluster-10. */
const COLLATOR = new Intl.Collator('en', { numeric: true });
function compare(a: string, b: string): number {
  return COLLATOR.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

function frozenStage(
  stage: StagePolicy,
  members: readonly TargetInput[],
  policy: RolloutPolicy,
  now: number,
): StageState {
  const counted = members.filter((target) => !target.pinned);
  return {
    name: stage.name,
    step: 'waiting',
    since: now,
    size: counted.length,
    slots: shareOf(stage.maxConcurrent, counted.length),
    capped: cappedOf(stage, counted),
    tolerated: toleratedOf(stage.failureBudget, counted.length),
    nextStartAt: now,
    gates: gatesOf(stage, members, policy).map((gate) => freshGate(gate, now)),
    ...removalsOf(members),
  };
}

/** All that is removed somewhere in the stage; the same object in several clusters counts once. */
function removalsOf(members: readonly TargetInput[]): { removes?: Removals } {
  const all = members.flatMap(({ removes }) => (removes && removes.count > 0 ? [removes] : []));
  if (all.length === 0) return {};
  const names = [...new Set(all.flatMap((one) => one.names))].sort();
  const count = Math.max(names.length, ...all.map((one) => one.count));
  return { removes: { count, names: names.slice(0, NAMED) } };
}

const NAMED = 20;

function prunes({ removes }: TargetInput): boolean {
  return removes !== undefined && removes.count > 0;
}

function cappedOf(stage: StagePolicy, counted: readonly TargetInput[]): Record<string, number> | null {
  const cap = stage.rate.perLabel;
  if (!cap) return null;
  const sizes = new Map<string, number>();
  for (const target of counted) {
    const value = target.clusterLabels[cap.label] ?? '';
    sizes.set(value, (sizes.get(value) ?? 0) + 1);
  }
  return Object.fromEntries([...sizes].map(([value, size]) => [value, shareOf(cap.max, size)]));
}

function gatesOf(stage: StagePolicy, members: readonly TargetInput[], policy: RolloutPolicy): Gate[] {
  const asks = stage.production && policy.pruneApproval && members.some(prunes);
  const asked = stage.gates.some(({ kind, at }) => kind === 'approval' && at === 'entry');
  if (!asks || asked) return stage.gates;
  return [{ name: PRUNE_GATE, at: 'entry', ...policy.pruneApproval! }, ...stage.gates];
}

/** The approval that a release needs which prunes in production. */
export const PRUNE_GATE = 'prune';

export function freshGate(gate: Gate, now: number, round = 0): GateState {
  const { name, at } = gate;
  const counts = { bad: 0, good: 0, unknownSince: null, last: null, recent: [] };
  return { name, at, status: 'pending', since: now, round, until: null, approvals: [], ...counts };
}
