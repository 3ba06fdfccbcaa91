import { type Blocker, gateBlockers, heldBlocker, stageBlockers, windowText } from './blockers.ts';
import { heldByWindow } from './sync-window.ts';
import type { RolloutState, Target } from './types.ts';
import { instant } from './words.ts';
import { Work, hasEnded } from './work.ts';

/** One thing that a target waits for in its rollout. */
export interface TargetBlocker extends Omit<Blocker, 'what'> {
  what: Blocker['what'] | 'stage' | 'slot' | 'stopped' | 'rollback' | 'failed' | 'skipped';
}

/**
 * What keeps targets from the release, for any number of them: what has to happen first comes first. Empty: nothing does, or it
 * takes no part.
 */
export function targetExplainer(state: RolloutState, now: number): (id: string) => TargetBlocker[] {
  const work = new Work(state, now);
  const { rollout } = work;
  if (hasEnded(rollout.phase)) return () => [];
  const running = once(() => stageBlockers(work, rollout.stage));
  const paused = pauseOf(work);
  return (id) => {
    const target = work.target(id);
    const own = target ? blockersOf(work, target, running) : [];
    return own.length > 0 ? [...paused, ...own] : [];
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function pauseOf({ rollout: { paused } }: Work): TargetBlocker[] {
  if (!paused) return [];
  const { actor, reason, since } = paused;
  const text = `the rollout is paused by ${actor}${reason ? `: ${reason}` : ''}`;
  return [{ what: 'paused', who: [actor], count: 1, text, since, until: null }];
}

function blockersOf(work: Work, target: Target, running: () => Blocker[]): TargetBlocker[] {
  switch (target.state) {
    case 'waiting':
    case 'deferred':
      return waits(work, target, running);
    case 'manual':
      return [about(target, 'hand', 'no stage selects it: it is started by hand')];
    case 'assigned':
      if (heldByWindow(target)) return [windowOf(target)];
      return [about(target, 'apply', `${silentOr(target, 'its agent')} has to apply it`, target.dueAt)];
    case 'applied':
      return [about(target, 'health', `it has to become healthy (${target.note})`, target.dueAt)];
    case 'healthy': {
      const until = target.healthySince! + work.settings(target).soakMs;
      return [about(target, 'soak', 'its soak: it has to stay healthy', until)];
    }
    case 'failed':
      return [about(target, 'failed', `it failed: ${target.note}`), ...stopped(work)];
    case 'skipped':
      return [about(target, 'skipped', target.note ?? 'it was passed over')];
    case 'reverting':
    case 'restoring':
    case 'restore-failed':
    case 'unproven':
      if (heldByWindow(target)) return [windowOf(target)];
      return [about(target, 'restore', `${target.state}: ${target.note}`, target.dueAt)];
    case 'done':
    case 'pinned':
    case 'gone':
    case 'restored':
    case 'kept':
      return [];
  }
}

function silentOr({ connected }: Target, agent: string): string {
  return connected ? agent : `${agent}, which is silent,`;
}

function waits(work: Work, target: Target, running: () => Blocker[]): TargetBlocker[] {
  const { rollout } = work;
  const own = ownBlockers(target);
  if (rollout.phase !== 'running') return [...stopped(work), ...own];
  const stage = target.stage!;
  const { name, since } = work.stage(stage);
  if (stage > rollout.stage) {
    const before = work.stage(rollout.stage).name;
    const text = `stage ${before} goes before its stage ${name}`;
    return [...running(), { what: 'stage', who: [], count: 1, text, since, until: null }, ...own];
  }
  if (target.state === 'deferred' && stage === rollout.stage) {
    const text = `${target.note ?? 'it comes later'}: stage ${name} passes first`;
    return [...running(), about(target, 'stage', text), ...own];
  }
  const gates = work.stage(stage).step === 'entry' ? gateBlockers(work, stage, 'entry') : [];
  const held = gates.length === 0 ? heldBlocker(work, stage) : undefined;
  const all: TargetBlocker[] = [...gates, ...(held ? [held] : []), ...own];
  if (all.length > 0) return all;
  const { slots } = work.stage(stage);
  return slots === 0
    ? [about(target, 'hand', `stage ${name} starts none by itself (maxConcurrent 0)`)]
    : [about(target, 'slot', `it waits for one of ${slots} slots of stage ${name}, or for its rate`)];
}

/** Why the whole rollout does not go forward. */
function stopped({ rollout }: Work): TargetBlocker[] {
  const { phase, since, to, failure, rollback } = rollout;
  const blocker = (what: TargetBlocker['what'], text: string): TargetBlocker[] => [
    { what, who: [], count: 1, text, since, until: null },
  ];
  if (phase === 'pending') return blocker('turn', `${to.label} waits for its turn`);
  if (phase === 'rolling-back')
    return blocker('rollback', `${to.label} is being taken back: ${rollback?.cause}`);
  if (phase === 'failed')
    return blocker('stopped', `${to.label} has stopped: ${failure?.reason ?? 'it has failed'}`);
  return [];
}

/** What holds back this target alone. */
function ownBlockers(target: Target): TargetBlocker[] {
  const { blocked, connected, connectedSince } = target;
  const all: TargetBlocker[] = [];
  if (!connected)
    all.push({ ...about(target, 'offline', 'its agent is not connected'), since: connectedSince });
  if (blocked)
    all.push({ ...about(target, 'dependency', `${blocked.by}: ${blocked.reason}`), since: blocked.since });
  if (target.window) all.push(windowOf(target));
  return all;
}

/** A sync window of its project. */
function windowOf(target: Target): TargetBlocker {
  const { since, until } = target.window!;
  return { ...about(target, 'window', windowText(target), until), since };
}

function about(
  { id, since }: Target,
  what: TargetBlocker['what'],
  text: string,
  until: number | null = null,
): TargetBlocker {
  return { what, who: [id], count: 1, text, since, until };
}

/** Why a target is where it is, for a terminal: what blocks it, what has to happen first comes first. */
export function explainTarget(state: RolloutState, id: string, now: number): string[] {
  const target = state.targets.get(id);
  if (!target) return ['it takes no part in the rollout: it holds the release already'];
  const blockers = targetExplainer(state, now)(id);
  if (blockers.length === 0) return [`${target.state} since ${instant(target.since)}: ${target.note}`];
  return blockers.map(({ text }) => text);
}
