import type { RolloutDetail, RolloutReplay, RolloutTargetView, RolloutView } from '@muster/api';
import { canonicalJson } from '@muster/base';
import {
  type LogEntry,
  type Rollout,
  type RolloutState,
  type Target,
  explain,
  replay,
} from '@muster/rollout';
import type { LoggedStep, RolloutLine } from './rollouts.repository.ts';

const MAX_TARGETS = 1000;

export function viewOf(row: RolloutLine): RolloutView {
  const rollout = row.state as Rollout;
  const stage = rollout.phase === 'running' ? rollout.stages[rollout.stage]?.name : undefined;
  return {
    id: row.id,
    owner: row.owner_name,
    ownerKind: row.owner_kind,
    project: row.project,
    policy: row.policy,
    kind: row.kind,
    phase: rollout.phase,
    paused: rollout.paused !== null,
    from: rollout.from,
    to: rollout.to,
    ...(stage === undefined ? {} : { stage }),
    stages: rollout.stages.map(({ name }) => name),
    headHeld: rollout.headHeld,
    ...(rollout.failure ? { failure: rollout.failure.reason } : {}),
    createdAt: row.created_at.toISOString(),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
  };
}

/** With what `explain` says, and the targets that somebody may ask about first. */
export function detailOf(row: RolloutLine, state: RolloutState, now: number): RolloutDetail {
  const said = explain(state, now);
  const targets = [...state.targets.values()].sort((a, b) => rank(a) - rank(b) || a.position - b.position);
  return {
    ...viewOf(row),
    headline: said.headline,
    done: said.done,
    total: said.total,
    progress: said.stages.map(({ since, states, ...rest }) => ({
      ...rest,
      since: at(since),
      states: states as Record<string, number>,
    })),
    waitingFor: said.waitingFor.map(({ since, until, ...rest }) => ({
      ...rest,
      since: at(since),
      ...(until === null ? {} : { until: at(until) }),
    })),
    next: { what: said.next.what, ...(said.next.at === null ? {} : { at: at(said.next.at) }) },
    lines: said.lines,
    targets: targets.slice(0, MAX_TARGETS).map((target) => targetOf(target, state.rollout)),
  };
}

/** Decides everything again, and compares. What stands outside the log, such as the reasons of people, is in it too. */
export function replayOf(
  id: string,
  begun: { rollout: Rollout; targets: readonly Target[] },
  log: readonly LoggedStep[],
  now: RolloutState,
): RolloutReplay {
  const initial = { rollout: begun.rollout, targets: new Map(begun.targets.map((one) => [one.id, one])) };
  const again = replay(
    initial,
    log.map(({ entry }): LogEntry => entry),
  );
  const differences: string[] = [];
  if (again.rollout.phase !== now.rollout.phase)
    differences.push(`phase: ${again.rollout.phase}, not ${now.rollout.phase}`);
  for (const [targetId, target] of now.targets) {
    const other = again.targets.get(targetId);
    if (canonicalJson(other ?? null) !== canonicalJson(target))
      differences.push(`${targetId}: ${other?.state ?? 'unknown'}, not ${target.state}`);
  }
  return {
    id,
    same: differences.length === 0,
    differences: differences.slice(0, 100),
    entries: log.length,
    transitions: log.flatMap(({ transitions }) => transitions.map((one) => ({ ...one, at: at(one.at) }))),
  };
}

/** What failed first, then what is on its way, what waits, and what is done. */
function rank({ state }: Target): number {
  if (state === 'failed' || state === 'restore-failed') return 0;
  if (state === 'done' || state === 'restored' || state === 'gone') return 3;
  return state === 'waiting' ? 2 : 1;
}

function targetOf(target: Target, { stages }: Rollout): RolloutTargetView {
  const stage = target.stage === null ? undefined : stages[target.stage]?.name;
  return {
    id: target.id,
    application: target.application,
    cluster: target.cluster,
    ...(stage === undefined ? {} : { stage }),
    state: target.state,
    since: at(target.since),
    ...(target.note === null ? {} : { note: target.note }),
    connected: target.connected,
  };
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}
