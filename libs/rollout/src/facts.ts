import { closeGates } from './gates.ts';
import { frozenTarget, stageOfJoiner } from './begin.ts';
import type { FactEvent, Report, Target, TargetInput, Version } from './types.ts';
import { JOINED } from './edges.ts';
import { closeWindow, withoutWindow } from './sync-window.ts';
import { MAX_BREAKS, type Work } from './work.ts';

/** Takes note of something that happened. What follows from it is decided afterwards. */
export function takeFact(work: Work, event: FactEvent): void {
  switch (event.kind) {
    case 'superseded':
      return superseded(work, event.by);
    case 'outage':
      return wasAway(work, event);
    case 'joined':
      return joined(work, event.target);
    case 'gate':
      return measured(work, event);
    default: {
      const target = work.target(event.target);
      if (target && target.state !== 'gone') aboutTarget(work, target, event);
    }
  }
}

type TargetEvent = Exclude<FactEvent, { kind: 'superseded' | 'outage' | 'joined' | 'gate' }>;

function aboutTarget(work: Work, target: Target, event: TargetEvent): void {
  switch (event.kind) {
    case 'report':
      return reported(work, target, event);
    case 'signed':
      if (target.version === null && event.digest === target.holds && SENT.has(target.state))
        work.patch(target, { version: event.version });
      return;
    case 'connected':
      if (!target.connected) work.patch(target, { connected: true, connectedSince: work.now });
      return;
    case 'disconnected':
      return disconnected(work, target);
    case 'left':
      work.move(target, 'gone', 'its cluster has left');
      return;
    case 'pinned':
      if (target.state !== 'pinned') work.move(target, 'pinned', event.reason);
      return;
    case 'unpinned':
      return unpinned(work, target, event.holds);
    case 'blocked': {
      const { by, reason } = event;
      if (target.blocked?.by !== by || target.blocked.reason !== reason)
        work.patch(target, { blocked: { by, reason, since: work.now } });
      return;
    }
    case 'unblocked':
      if (target.blocked) work.patch(target, { blocked: null });
      return;
    case 'window-closed':
      return closeWindow(work, target, event);
    case 'window-opened':
      if (target.window) work.patch(target, withoutWindow(target, work.now));
      return;
  }
}

/** What it holds was handed out by this rollout, and is being watched. */
const SENT: ReadonlySet<Target['state']> = new Set(['assigned', 'applied', 'healthy', 'done', 'restoring']);

/** Only a report of the assignment that was made here, or of one that followed it, says anything. */
function reported(work: Work, target: Target, report: Report): void {
  if (!SENT.has(target.state) || !target.version || isOlder(report.version, target.version)) return;
  if (report.digest !== target.holds) return;
  const proves =
    target.proved ||
    report.observedAt >= report.appliedAt ||
    (target.observation !== null && target.observation !== report.observedAt);
  let now = target;
  if (target.state === 'assigned') {
    const cause = 'its agent has applied the release';
    now = work.move(target, 'applied', cause, withoutWindow(target, work.now));
  }
  if (!proves) {
    if (now.observation !== report.observedAt) work.patch(now, { observation: report.observedAt });
    return;
  }
  if (!now.proved) now = work.patch(now, { proved: true });
  observed(work, now, report);
}

function observed(work: Work, target: Target, { health, message }: Report): void {
  // What is heard of a silent agent is old: it may have failed since.
  const healthy = health === 'Healthy' && target.connected;
  if (target.state === 'restoring') {
    if (healthy) work.move(target, 'restored', 'it is healthy at the earlier release');
    return;
  }
  if (health === 'Healthy') {
    if (healthy && target.state === 'applied')
      work.move(target, 'healthy', 'it is healthy at the release', { healthySince: work.now });
    return;
  }
  const said = message ? `${health}: ${message}` : health;
  if (health === 'Degraded' && work.settings(target).failOnDegraded) {
    // What has passed its soak is judged as long as its stage goes on.
    if (target.state !== 'done' || !work.isLate(target)) failTarget(work, target, said);
    return;
  }
  if (target.state === 'healthy') broken(work, target, said);
}

export function failTarget(work: Work, target: Target, cause: string): void {
  work.move(target, 'failed', cause);
  work.notify('target-failed', `${target.application} in ${target.cluster}: ${cause}`);
}

/** It was healthy, and is not any more: its soak begins anew, in a deadline of its own. */
function broken(work: Work, target: Target, cause: string, counts: 0 | 1 = 1): void {
  const { deadlineMs } = work.settings(target);
  const breaks = target.breaks + counts;
  if (deadlineMs !== null && breaks > MAX_BREAKS)
    return failTarget(work, target, `${cause}, the ${breaks}th time after it was healthy`);
  const dueAt = deadlineMs === null ? null : work.now + deadlineMs;
  work.move(target, 'applied', cause, { dueAt, breaks });
}

function disconnected(work: Work, target: Target): void {
  if (!target.connected) return;
  const now = work.patch(target, { connected: false, connectedSince: work.now });
  // Nobody knows how it is: that is no health. But a bad line says nothing of the release.
  if (now.state === 'healthy') broken(work, now, 'its agent is silent', 0);
}

function joined(work: Work, input: TargetInput): void {
  const known = work.target(input.id);
  if ((known && known.state !== 'gone') || input.from === input.to) return;
  const stage = stageOfJoiner(work.rollout.policy.stages, input);
  const position = stage === null ? 0 : work.members(stage).length;
  const target = frozenTarget(input, stage, position, work.rollout.policy, work.now);
  const state = target.state === 'waiting' ? 'deferred' : target.state;
  work.add({ ...target, counted: false, state, note: target.note ?? JOINED });
  work.note(`target/${input.id}`, known?.state ?? 'unknown', state, JOINED);
}

/** Its turn comes again. What its override left it at counts: at the release it is to be taken back like any other. */
function unpinned(work: Work, target: Target, holds: string | null = target.holds): void {
  if (target.state !== 'pinned') return;
  const touched = holds === target.holds ? target.touched : holds === target.to;
  const fresh = { version: null, proved: false, observation: null, breaks: 0, holds, touched };
  if (target.stage === null) work.move(target, 'manual', 'its override is gone', fresh);
  else if (work.isLate(target) || !target.counted)
    work.move(target, 'deferred', 'its override is gone', fresh);
  else work.move(target, 'waiting', 'its override is gone', fresh);
}

/** So long agents may take to come back to a hub that was away, and to say how things are. */
const RETURN_MS = 60_000;

/** Deadlines, soaks and measurements go on where they were: what nobody could hear proves nothing. No deadline ends before agents are back. */
function wasAway(work: Work, { ms, until }: Extract<FactEvent, { kind: 'outage' }>): void {
  if (!(ms > 0)) return;
  const later = (at: number) => Math.min(work.now, at + ms);
  for (const target of work.targets()) {
    const back = until === undefined ? 0 : until + Math.min(RETURN_MS, deadlineOf(work, target));
    const dueAt = target.dueAt === null ? null : Math.max(target.dueAt + ms, back);
    const healthySince = target.healthySince === null ? null : later(target.healthySince);
    // Who was away may have been back meanwhile, and what a window held is counted once.
    const connectedSince = target.connected ? target.connectedSince : later(target.connectedSince);
    const window = target.window && { ...target.window, since: later(target.window.since) };
    const touched = dueAt !== target.dueAt || healthySince !== target.healthySince;
    if (touched || connectedSince !== target.connectedSince || window?.since !== target.window?.since)
      work.patch(target, { dueAt, healthySince, connectedSince, ...(window && { window }) });
  }
  for (const { gates } of work.rollout.stages)
    for (const gate of gates)
      if (gate.status === 'open' && gate.until !== null) {
        gate.until += ms;
        work.touch();
      }
}

function superseded(work: Work, by: string): void {
  const { phase } = work.rollout;
  if (phase !== 'pending' && phase !== 'running' && phase !== 'failed') return;
  work.rollout.supersededBy = by;
  work.rollout.headHeld = false;
  closeGates(work, `${by} is newer`);
  work.movePhase('superseded', `${by} is newer`);
}

const RECENT = 5;

function measured(work: Work, event: Extract<FactEvent, { kind: 'gate' }>): void {
  const stage = work.rollout.stages.find(({ name }) => name === event.stage);
  const gate = stage?.gates.find(({ name }) => name === event.gate);
  if (gate?.status !== 'open' || gate.round !== event.round) return;
  const { verdict, detail } = event;
  gate.last = { verdict, at: work.now, detail };
  gate.recent = [...(gate.recent ?? []), gate.last].slice(-RECENT);
  if (verdict === 'bad') gate.bad += 1;
  // What could not be measured says nothing: a row of good ones goes on after it.
  if (verdict !== 'unknown') gate.good = verdict === 'ok' ? gate.good + 1 : 0;
  gate.unknownSince = verdict === 'unknown' ? (gate.unknownSince ?? work.now) : null;
  work.touch();
}

export function isOlder(a: Version, b: Version): boolean {
  return a.epoch === b.epoch ? a.generation < b.generation : a.epoch < b.epoch;
}

function deadlineOf(work: Work, target: Target): number {
  const { rollback } = work.rollout.policy;
  return (target.state === 'restoring' ? rollback.deadlineMs : work.settings(target).deadlineMs) ?? Infinity;
}
