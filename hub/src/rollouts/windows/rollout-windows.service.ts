import { type SyncWindow, type WindowDecision, syncAllowed } from '@muster/kube';
import type { FactEvent, Rollout, RolloutState, Target } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { AssignmentsService } from '../../assignments/assignments.service.ts';
import { ProjectWindows } from '../../projects/project-windows.service.ts';
import type { Trx } from '../../store/schema.ts';
import { RolloutClock } from '../rollout-clock.ts';
import { type TargetIds, keyOfTarget } from '../../releases/targets.ts';

/** What a rollout is told of windows. */
export interface WindowNews {
  events: FactEvent[];
  /** Look again after so many milliseconds, whatever happens; undefined: no window holds anything. */
  againMs: number | undefined;
}

/** Somebody may change the windows of a project meanwhile. */
const AGAIN_MS = 60_000;
const BEFORE: readonly Target['state'][] = ['waiting', 'deferred', 'manual', 'assigned'];
const BACK: readonly Target['state'][] = ['reverting', 'restoring'];

/** Which targets of a rollout the sync windows of their projects hold, as their agents will see it too. */
@Injectable()
export class RolloutWindows {
  constructor(
    @Inject(ProjectWindows) private readonly projects: ProjectWindows,
    @Inject(AssignmentsService) private readonly assignments: AssignmentsService,
    @Inject(RolloutClock) private readonly clock: RolloutClock,
  ) {}

  /** What it does not know yet; repeated, it tells nothing twice. */
  async news(
    trx: Trx,
    { rollout, targets }: RolloutState,
    records: ReadonlyMap<string, TargetIds>,
  ): Promise<WindowNews> {
    const states = heldStates(rollout);
    const asked = [...targets.values()].filter(({ state }) => states.has(state));
    const closed = await this.#closed(trx, asked, records);
    const events: FactEvent[] = [];
    for (const target of targets.values()) {
      const now = closed.get(target.id);
      if (!now && target.window) events.push({ kind: 'window-opened', target: target.id });
      if (now && !isKnown(target, now, this.clock.now()))
        events.push({ kind: 'window-closed', target: target.id, ...now });
    }
    return { events, againMs: closed.size > 0 ? AGAIN_MS : undefined };
  }

  async #closed(
    trx: Trx,
    asked: readonly Target[],
    records: ReadonlyMap<string, TargetIds>,
  ): Promise<Map<string, Closed>> {
    const ids = asked.flatMap(({ id }) => records.get(id) ?? []);
    const windowed = await this.projects.of(trx, ids);
    const closed = new Map<string, Closed>();
    const byHand: Target[] = [];
    const decide = decider(this.clock.now());
    for (const target of asked) {
      const record = records.get(target.id);
      const windows = record && windowed.get(keyOfTarget(record));
      if (!windows) continue;
      const { automated, manual } = decide(windows);
      if (automated.allowed) continue;
      closed.set(target.id, { reason: automated.reason, until: automated.untilMs ?? null });
      if (manual.allowed) byHand.push(target);
    }
    // What no agent syncs by itself is synced by a command, which some windows let through.
    const digests = byHand.map(digestOf);
    const commanded = byHand.length > 0 ? await this.assignments.syncedByHand(trx, digests) : new Set();
    for (const target of byHand) if (commanded.has(digestOf(target))) closed.delete(target.id);
    return closed;
  }
}

interface Decisions {
  automated: WindowDecision;
  manual: WindowDecision;
}

/** Decides once for all targets that have the same windows. */
function decider(now: number): (windows: readonly SyncWindow[]) => Decisions {
  const known = new Map<string, Decisions>();
  return (windows) => {
    const key = JSON.stringify(windows);
    const found = known.get(key) ?? {
      automated: syncAllowed(windows, now, false),
      manual: syncAllowed(windows, now, true),
    };
    known.set(key, found);
    return found;
  };
}

interface Closed {
  reason: string;
  until: number | null;
}

/** The same window, whose end has not come: that it moves on with each minute is no news. */
function isKnown({ window }: Target, { reason }: Closed, now: number): boolean {
  return window?.reason === reason && (window.until === null || window.until > now);
}

/** In which states a sync could be held. What is taken back passes windows, unless the policy says otherwise. */
function heldStates({ kind, policy }: Rollout): ReadonlySet<Target['state']> {
  const { windowsHold } = policy.rollback;
  if (windowsHold) return new Set([...BEFORE, ...BACK]);
  return new Set(kind === 'undo' ? [] : BEFORE);
}

function digestOf({ state, holds, to }: Target): string {
  return state === 'waiting' || state === 'deferred' || state === 'manual' ? to : (holds ?? to);
}
