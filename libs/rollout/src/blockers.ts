import { measurementText } from './gate-words.ts';
import { gatesOf, isOverSoak, measuredFrom, policyHeld, startsHeld } from './gates.ts';
import type { Gate } from './policy.ts';
import { heldByWindow } from './sync-window.ts';
import type { GateState, StageState, Target } from './types.ts';
import { windowVerdict } from './windows.ts';
import { instant, removalText, someOf } from './words.ts';
import type { Work } from './work.ts';

/** One thing that a rollout waits for. */
export interface Blocker {
  what:
    | 'paused'
    | 'turn'
    | 'decision'
    | 'approval'
    | 'window'
    | 'gate'
    | 'offline'
    | 'dependency'
    | 'hand'
    | 'slots'
    | 'apply'
    | 'health'
    | 'soak'
    | 'restore';
  /** Targets or people, at most 20 of them. */
  who: string[];
  count: number;
  text: string;
  since: number;
  /** When it ends by itself at the latest; null: it may not. */
  until: number | null;
}

/** What the running stage waits for. */
export function stageBlockers(work: Work, index: number): Blocker[] {
  const { step } = work.stage(index);
  switch (step) {
    case 'entry':
      return gateBlockers(work, index, 'entry');
    case 'end':
      return gateBlockers(work, index, 'end');
    case 'waiting':
    case 'passed':
      return [];
    case 'rolling':
      return [
        ...waitingBlockers(work, index),
        ...flightBlockers(work, index),
        ...gateBlockers(work, index, 'end', 'measured'),
      ];
    case 'soaking':
      return [...flightBlockers(work, index), ...gateBlockers(work, index, 'end', 'soak')];
  }
}

export function gateBlockers(
  work: Work,
  index: number,
  at: 'entry' | 'end',
  which: 'all' | 'soak' | 'measured' = 'all',
): Blocker[] {
  return gatesOf(work, index).flatMap(([gate, state]) => {
    if (which !== 'all' && !isOverSoak(gate)) return [];
    const from = measuredFrom(work, index, gate, state);
    if (which === 'measured' && state.status !== 'open' && from === null) return [];
    if (gate.at !== at || state.status === 'passed' || state.status === 'skipped') return [];
    return gateBlocker(work, gate, state, { stage: work.stage(index), from }) ?? [];
  });
}

function gateBlocker(
  work: Work,
  gate: Gate,
  state: GateState,
  { stage, from }: { stage: StageState; from: number | null },
): Blocker | undefined {
  const { since, until } = state;
  switch (gate.kind) {
    case 'approval': {
      const missing = gate.count - state.approvals.length;
      const whose = gate.groups.length > 0 ? ` of ${gate.groups.join(' or ')}` : '';
      const by = until === null ? '' : ` until ${instant(until)}`;
      const names = state.approvals.map(({ actor }) => actor);
      const given = names.length > 0 ? `, approved by ${someOf(names)} so far` : '';
      const text = `${missing} ${missing === 1 ? 'approval' : 'approvals'}${whose} at "${gate.name}"${by}${given}${gate.at === 'entry' ? removedText(stage) : ''}`;
      return { what: 'approval', who: gate.groups, count: missing, text, since, until };
    }
    case 'windows': {
      const verdict = windowVerdict(gate.windows, work.now);
      return verdict.open
        ? undefined
        : windowBlocker(stage.since, `"${gate.name}": ${verdict.reason}`, verdict.untilMs);
    }
    default:
      return { what: 'gate', who: [], count: 1, text: measurementText(gate, state, from), since, until };
  }
}

function removedText({ name, removes }: StageState): string {
  return removes ? `; in ${name} it ${removalText(removes)}` : '';
}

function windowBlocker(since: number, reason: string, until: number | null): Blocker {
  const text = `a window, ${reason}${until === null ? '' : `, until ${instant(until)}`}`;
  return { what: 'window', who: [], count: 1, text, since, until };
}

/** Windows that hold back the starts of a stage. */
export function heldBlocker(work: Work, index: number): Blocker | undefined {
  const held = startsHeld(work, index);
  return held && windowBlocker(work.stage(index).since, held.reason, held.untilMs);
}

function waitingBlockers(work: Work, index: number): Blocker[] {
  const waiting = work.members(index).filter(({ state }) => state === 'waiting');
  if (waiting.length === 0) return [];
  const { slots, name } = work.stage(index);
  const offline = waiting.filter(({ connected }) => !connected);
  const blocked = waiting.filter(({ connected, blocked: by }) => connected && by);
  const closed = waiting.filter(({ connected, blocked: by, window }) => connected && !by && window);
  const ready = waiting.filter(({ connected, blocked: by, window }) => connected && !by && !window);
  const held = ready.length > 0 ? heldBlocker(work, index) : undefined;
  const all: Blocker[] = held ? [held] : [];
  if (ready.length > 0 && !held) {
    if (slots === 0)
      all.push(group('hand', ready, (who) => `${who} to be started by hand (maxConcurrent 0)`));
    else
      all.push(
        group('slots', ready, (who) => `a slot of ${slots}, or the rate of stage ${name}, for ${who}`),
      );
  }
  if (offline.length > 0)
    all.push(group('offline', offline, (who) => `the agent of ${who}`, 'connectedSince'));
  all.push(...blockedBlockers(blocked));
  if (closed.length > 0) all.push(closedBlocker(closed));
  return all;
}

const REASONS = 5;

/** One for each of the reasons that hold most targets back, and one for all others. */
function blockedBlockers(blocked: readonly Target[]): Blocker[] {
  const byReason = [...Map.groupBy(blocked, (target) => target.blocked!.reason)];
  byReason.sort(([, a], [, b]) => b.length - a.length);
  const shown = byReason.slice(0, REASONS).map(([reason, targets]) => blockedBlocker(targets, reason));
  const rest = byReason.slice(REASONS).flatMap(([, targets]) => targets);
  const others = `${byReason.length - REASONS} other reasons`;
  return rest.length > 0 ? [...shown, blockedBlocker(rest, others)] : shown;
}

function blockedBlocker(targets: readonly Target[], reason: string): Blocker {
  const since = Math.min(...targets.map(({ blocked }) => blocked!.since));
  return { ...group('dependency', targets, (who) => `${reason} (it holds back ${who})`), since };
}

/** A sync window of the project, as a line about one target. */
export function windowText({ window }: Target): string {
  const until = window?.until ? `, until ${instant(window.until)} at least` : '';
  return `a sync window of its project is closed: ${window?.reason}${until}`;
}

/** Targets that a window of their project holds. */
function closedBlocker(targets: readonly Target[]): Blocker {
  const ends = targets.flatMap(({ window }) => window?.until ?? []);
  const until = ends.length > 0 ? Math.min(...ends) : null;
  const since = Math.min(...targets.map(({ window }) => window!.since));
  return { ...group('window', targets, (who) => `${who}: ${windowText(targets[0]!)}`), since, until };
}

function flightBlockers(work: Work, index: number): Blocker[] {
  const members = work.members(index);
  const of = (state: Target['state']) => members.filter((target) => target.state === state);
  const [applied, healthy] = [of('applied'), of('healthy')];
  const held = members.filter(heldByWindow);
  const assigned = of('assigned').filter((target) => !heldByWindow(target));
  const { soakMs } = work.policy(index);
  const silent = (targets: readonly Target[]) =>
    targets.every(({ connected }) => !connected) ? ', whose agent is silent,' : '';
  const all: Blocker[] = [];
  if (held.length > 0) all.push(closedBlocker(held));
  if (assigned.length > 0)
    all.push(group('apply', assigned, (who) => `${who}${silent(assigned)} to apply it`));
  if (applied.length > 0) {
    const [first] = applied;
    all.push(
      group('health', applied, (who) => `${who}${silent(applied)} to become healthy (${first!.note})`),
    );
  }
  if (healthy.length > 0) {
    const until = Math.max(...healthy.map(({ healthySince }) => healthySince! + soakMs));
    all.push({ ...group('soak', healthy, (who) => `the soak of ${who} until ${instant(until)}`), until });
  }
  return all;
}

/** The windows of the policy, while they are closed. */
export function policyBlockers(work: Work): Blocker[] {
  const held = policyHeld(work);
  return held ? [windowBlocker(work.rollout.since, held.reason, held.untilMs)] : [];
}

/** What a rollback waits for. */
export function rollbackBlockers(work: Work): Blocker[] {
  const all = work.rollout.policy.rollback.windowsHold ? policyBlockers(work) : [];
  const targets = [...work.targets()];
  const held = targets.filter(
    (target) => heldByWindow(target) || (target.state === 'reverting' && target.window),
  );
  if (held.length > 0 && work.rollout.policy.rollback.windowsHold) all.push(closedBlocker(held));
  const going = targets.filter(({ state }) => state === 'restoring');
  const next = targets.filter(({ state }) => state === 'reverting');
  const watched = targets.filter(
    ({ state }) => state === 'assigned' || state === 'applied' || state === 'healthy',
  );
  if (going.length > 0)
    all.push(group('restore', going, (who) => `${who} to be healthy at its earlier release`));
  if (next.length > 0)
    all.push(group('restore', next, (who) => `${who}, whose turn to go back has not come`));
  if (watched.length > 0)
    all.push(group('health', watched, (who) => `${who} to come to rest at the release`));
  return all;
}

const NAMED = 20;

function group(
  what: Blocker['what'],
  targets: readonly Target[],
  text: (who: string) => string,
  from: 'since' | 'connectedSince' = 'since',
): Blocker {
  const names = targets.map(({ application, cluster }) => `${application} in ${cluster}`);
  const dues = targets.map(({ dueAt }) => dueAt);
  return {
    what,
    who: targets.slice(0, NAMED).map(({ id }) => id),
    count: targets.length,
    text: text(someOf(names)),
    since: Math.min(...targets.map((target) => target[from])),
    until: dues.every((at) => at !== null) ? Math.max(...dues) : null,
  };
}
