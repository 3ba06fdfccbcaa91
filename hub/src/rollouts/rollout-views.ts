import type {
  RolloutDetail,
  RolloutListItem,
  RolloutTargetView,
  RolloutTransition,
  RolloutView,
} from '@muster/api';
import {
  type ReleaseRef,
  type Rollout,
  type RolloutState,
  type Target,
  type Transition,
  delayedGates,
  explain,
} from '@muster/rollout';
import type { Circle } from './dependencies/circle-search.ts';
import { circleEnds, circleText } from './dependencies/circle-words.ts';
import { type TargetCount, stagesInBrief, waitsInBrief } from './reads/rollout-brief.ts';
import { type Asker, stageSettings } from './reads/rollout-gates.ts';
import type { ReleaseFacts } from './reads/rollout-reads.repository.ts';
import type { RolloutLine } from './rollouts.repository.ts';

type Releases = ReadonlyMap<string, ReleaseFacts>;

/** `releases`: what is known of them besides their names. */
export function viewOf(row: RolloutLine, releases: Releases = new Map()): RolloutView {
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
    from: rollout.from && releaseOf(rollout.from, releases),
    to: releaseOf(rollout.to, releases),
    ...(stage === undefined ? {} : { stage }),
    stages: rollout.stages.map(({ name }) => name),
    headHeld: rollout.headHeld,
    ...(rollout.failure ? { failure: rollout.failure.reason } : {}),
    createdAt: row.created_at.toISOString(),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
  };
}

function releaseOf({ id, label }: ReleaseRef, releases: Releases): RolloutView['to'] {
  const known = releases.get(id);
  return {
    id,
    label,
    ...(known ? { number: Number(known.number) } : {}),
    ...(known?.commit ? { commit: known.commit } : {}),
    ...(known?.message ? { message: known.message } : {}),
    ...(known?.author ? { author: known.author } : {}),
  };
}

/** With what can be said without reading its targets. */
export function listItemOf(
  row: RolloutLine,
  counts: readonly TargetCount[],
  releases: Releases,
  now: number,
): RolloutListItem {
  const rollout = row.state as Rollout;
  return {
    ...viewOf(row, releases),
    since: at(rollout.since),
    ...(rollout.failure ? { failedStage: rollout.failure.stage } : {}),
    progress: stagesInBrief(rollout, counts),
    waitsFor: waitsInBrief(rollout, counts, now),
  };
}

interface DetailContext {
  now: number;
  asker: Asker;
  releases: Releases;
  /** What its targets wait for waits for itself. */
  circle: Circle | undefined;
  /** So many targets are named. */
  most: number;
}

/** With what `explain` says, and the targets that somebody may ask about first. */
export function detailOf(
  row: RolloutLine,
  state: RolloutState,
  { now, asker, releases, circle, most }: DetailContext,
): RolloutDetail {
  const { rollout } = state;
  const said = explain(state, now);
  const delayed = delayedGates(state, now);
  const targets = [...state.targets.values()].sort((a, b) => rank(a) - rank(b) || a.position - b.position);
  return {
    ...viewOf(row, releases),
    ...standingOf(rollout),
    now: at(now),
    headline: said.headline,
    done: said.done,
    total: said.total,
    progress: said.stages.map(({ since, states, ...rest }, index) => ({
      ...rest,
      since: at(since),
      states: states as Record<string, number>,
      ...stageSettings(rollout, index, { asker, delayed: index === rollout.stage ? delayed : new Map() }),
    })),
    waitingFor: said.waitingFor.map(({ since, until, ...rest }) => ({
      ...rest,
      since: at(since),
      ...(until === null ? {} : { until: at(until) }),
    })),
    next: { what: said.next.what, ...(said.next.at === null ? {} : { at: at(said.next.at) }) },
    ...(circle ? { circle: { text: circleText(circle), ends: circleEnds(circle) } } : {}),
    lines: circle ? withCircle(said.lines, circle) : said.lines,
    targets: targets.slice(0, most).map((target) => targetOf(target, rollout)),
  };
}

/** What comes next stays the last line. */
function withCircle(lines: readonly string[], circle: Circle): string[] {
  return lines.toSpliced(-1, 0, `${circleText(circle)}; it ends when ${circleEnds(circle)}`);
}

function standingOf({ since, paused, failure, rollback, supersededBy }: Rollout) {
  return {
    since: at(since),
    ...(paused ? { pausedBy: { ...paused, since: at(paused.since) } } : {}),
    ...(failure ? { failedStage: failure.stage } : {}),
    ...(rollback ? { rollback: { ...rollback, since: at(rollback.since) } } : {}),
    ...(supersededBy === null ? {} : { supersededBy }),
  };
}

/** What failed first, then what is on its way, what waits, and what is done. */
function rank({ state }: Target): number {
  if (state === 'failed' || state === 'restore-failed') return 0;
  if (state === 'done' || state === 'restored' || state === 'gone') return 3;
  return state === 'waiting' ? 2 : 1;
}

export function transitionOf(one: Transition): RolloutTransition {
  return { ...one, at: at(one.at) };
}

export function targetOf(target: Target, { stages, policy }: Rollout): RolloutTargetView {
  const stage = target.stage === null ? undefined : stages[target.stage]?.name;
  const soakMs = target.stage === null ? 0 : (policy.stages[target.stage]?.soakMs ?? 0);
  const soaks = target.state === 'healthy' && target.healthySince !== null;
  return {
    id: target.id,
    application: target.application,
    cluster: target.cluster,
    ...(stage === undefined ? {} : { stage }),
    state: target.state,
    since: at(target.since),
    ...(target.note === null ? {} : { note: target.note }),
    connected: target.connected,
    ...(target.blocked ? { blocked: `${target.blocked.by}: ${target.blocked.reason}` } : {}),
    ...(soaks ? { soakUntil: at(target.healthySince! + soakMs) } : {}),
    ...(target.dueAt === null ? {} : { dueAt: at(target.dueAt) }),
  };
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}
