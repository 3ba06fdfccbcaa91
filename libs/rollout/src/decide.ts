import { failTarget, takeFact } from './facts.ts';
import { runRollback } from './rollback.ts';
import { runStages } from './stages.ts';
import type { FactEvent, LogEntry, RolloutEvent, RolloutState, Step, VerbEvent } from './types.ts';
import { heldByWindow } from './sync-window.ts';
import { obey } from './verbs.ts';
import { nextWake } from './wake.ts';
import { Work, hasEnded } from './work.ts';

/**
 * Takes in what happened, then does everything that can be done now. Without events it is a look at the clock, and
 * without a change it answers the same state. `now` is the hub's time in Unix milliseconds; an earlier one than that of
 * the last step counts as that. Never throws for anything that events say: what makes no sense changes nothing.
 */
export function decide(state: RolloutState, events: readonly RolloutEvent[], now: number): Step {
  const work = new Work(state, now);
  const effective: RolloutEvent[] = [];
  // Everything that is known comes first: nothing is started beside a failure that is reported in the same breath.
  for (const event of events) {
    if (hasEnded(work.rollout.phase)) break;
    const before = work.revision;
    if (isVerb(event)) obey(work, event);
    else takeFact(work, event);
    if (work.revision > before) effective.push(event);
  }
  settle(work);
  const changes = work.revision > 0;
  const finished = work.finish();
  return {
    ...finished,
    actions: [...work.actions, { kind: 'wake', at: nextWake(work) }],
    transitions: work.transitions,
    entry: changes ? { at: work.now, events: effective } : null,
  };
}

/** The state that the entries of a log lead to: the same as they did when they were written. */
export function replay(initial: RolloutState, log: readonly LogEntry[]): RolloutState {
  return log.reduce((state, { at, events }) => decide(state, events, at).state, initial);
}

const VERBS: ReadonlySet<string> = new Set<VerbEvent['kind']>([
  'approve',
  'reject',
  'pause',
  'resume',
  'skip',
  'retry',
  'start',
  'abort',
  'undo',
]);

export function isVerb(event: VerbEvent | FactEvent): event is VerbEvent {
  return VERBS.has(event.kind);
}

function settle(work: Work): void {
  if (hasEnded(work.rollout.phase)) return;
  passTime(work);
  if (work.rollout.paused) return;
  if (work.rollout.phase === 'running') runStages(work);
  if (work.rollout.phase === 'rolling-back') runRollback(work);
}

/** Deadlines and soaks that are over. They go on while the rollout is paused: they are facts. */
function passTime(work: Work): void {
  for (const target of work.targets()) {
    if (target.dueAt !== null && target.dueAt <= work.now && !heldByWindow(target)) {
      if (target.state === 'restoring') {
        const cause = target.connected
          ? 'it did not become healthy in time'
          : 'its agent was not heard in time';
        work.move(target, target.connected ? 'restore-failed' : 'unproven', cause);
      } else {
        failTarget(
          work,
          target,
          target.connected ? 'not healthy in time' : 'its agent was silent until the deadline',
        );
      }
    } else if (
      target.state === 'healthy' &&
      target.healthySince! + work.settings(target).soakMs <= work.now
    ) {
      work.move(target, 'done', 'it was healthy for its whole soak');
    }
  }
}
