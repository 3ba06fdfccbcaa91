import type { RolloutPolicy } from './policy.ts';
import type { Labels } from './selector.ts';

/** Of a signed assignment; ordered by epoch, then generation. */
export interface Version {
  epoch: number;
  generation: number;
}

/** A release, and what it is called. */
export interface ReleaseRef {
  id: string;
  label: string;
}

/** What a target was last proven good at: applied, and healthy after that. */
export interface Proven {
  release: string;
  digest: string;
}

/**
 * `failed` has stopped and waits for a person or a newer release. The last four are ends: nothing changes any more.
 * Being paused is not a phase: see `Rollout.paused`.
 */
export type Phase =
  | 'pending'
  | 'running'
  | 'rolling-back'
  | 'failed'
  | 'completed'
  | 'rolled-back'
  | 'aborted'
  | 'superseded';

/** `waiting` and `passed` enclose what a stage goes through; a target that breaks its soak leads back to `rolling`. */
export type StageStep = 'waiting' | 'entry' | 'rolling' | 'soaking' | 'end' | 'passed';

/**
 * - `waiting`: at its old release, its turn has not come. `manual`: no stage has it. `deferred`: it gets the release on its
 *   own, after its stage has passed (joined later, or was offline where that is caught up).
 * - `assigned` → `applied` (it reported this assignment applied) → `healthy` (soaking) → `done`.
 * - `failed`, `skipped`; `pinned` by an override, `gone` with its cluster: in no denominator.
 * - `reverting` (chosen, its turn to go back has not come) → `restoring` → `restored` | `restore-failed`; `unproven`: the
 *   old digest is assigned, but its agent was not heard in time; `kept`: there is nothing to go back to.
 */
export type TargetState =
  | 'waiting'
  | 'manual'
  | 'deferred'
  | 'assigned'
  | 'applied'
  | 'healthy'
  | 'done'
  | 'failed'
  | 'skipped'
  | 'pinned'
  | 'gone'
  | 'reverting'
  | 'restoring'
  | 'restored'
  | 'restore-failed'
  | 'unproven'
  | 'kept';

/** One Application in one cluster. All times are Unix milliseconds of the hub's clock, but for `observation`. */
export interface Target {
  id: string;
  cluster: string;
  application: string;
  /** Its stage, frozen at the start; null: none has it. */
  stage: number | null;
  /** Its place in the order of its stage. */
  position: number;
  /** Part of the frozen sizes; false: it joined later. */
  counted: boolean;
  /** The value of the label that slots are capped by. */
  capValue: string | null;
  /** What it held when the rollout began; null: nothing. */
  from: string | null;
  /** What a rollback goes back to; null: nothing was ever proven. */
  proven: Proven | null;
  to: string;
  state: TargetState;
  since: number;
  /** Why it is in this state, where that says more. */
  note: string | null;
  /** The digest that it is to hold now; while it is pinned, the override's goes first. Null: nothing. */
  holds: string | null;
  /** It was assigned the new release at least once. */
  touched: boolean;
  /** The first version that holds what it is assigned now; null: not signed yet. */
  version: Version | null;
  assignedAt: number | null;
  /** Healthy without a break since. */
  healthySince: number | null;
  /** Failed unless healthy by then; null: it is healthy, or has no deadline. */
  dueAt: number | null;
  /** How often it was healthy at this release and then was not; silence is not counted. */
  breaks: number;
  /** An observation that is certainly younger than the apply was reported for this version. */
  proved: boolean;
  /** The agent's time of an observation that may be older than the apply: any other that follows is younger. */
  observation: number | null;
  connected: boolean;
  connectedSince: number;
  /** Something outside the rollout holds it back: a dependency, a render error. */
  blocked: { by: string; reason: string; since: number } | null;
  /** A sync window of its project is closed; `until`: when that may change. Absent in what older hubs wrote. */
  window?: { reason: string; since: number; until: number | null } | null;
}

export interface Approval {
  actor: string;
  at: number;
  reason: string;
}

export interface GateState {
  name: string;
  at: 'entry' | 'end';
  status: 'pending' | 'open' | 'passed' | 'failed' | 'skipped';
  since: number;
  /** Grows each time it is asked again; results of earlier rounds count for nothing. */
  round: number;
  /** No later than then; null: without an end. */
  until: number | null;
  approvals: Approval[];
  bad: number;
  /** Good results in a row. */
  good: number;
  /** It could not be measured since. */
  unknownSince: number | null;
  /** The newest result. */
  last: GateResult | null;
  /** The newest few, the newest last. Absent in what older hubs wrote. */
  recent?: GateResult[];
}

export interface GateResult {
  verdict: 'ok' | 'bad' | 'unknown';
  at: number;
  detail: string;
}

export interface StageState {
  name: string;
  step: StageStep;
  since: number;
  /** Frozen: counted targets, slots, slots for each value of a label, failures that are tolerated. */
  size: number;
  slots: number;
  capped: Record<string, number> | null;
  tolerated: number;
  /** No start before then. */
  nextStartAt: number;
  gates: GateState[];
  /** What the release prunes in it, at most; left out: nothing, or nobody asked. */
  removes?: Removals;
}

export type FailureKind = 'budget' | 'gate' | 'rejected' | 'expired' | 'rollback';

export interface Failure {
  kind: FailureKind;
  stage: string;
  at: number;
  /** One sentence. */
  reason: string;
}

export interface By {
  actor: string;
  reason: string;
}

/** A rollout without its targets. Plain data: its JSON is the whole of it. */
export interface Rollout {
  id: string;
  /** `undo`: a person took the fleet back to an earlier release. */
  kind: 'release' | 'undo';
  policy: RolloutPolicy;
  from: ReleaseRef | null;
  to: ReleaseRef;
  phase: Phase;
  since: number;
  /** The hub's clock at the last step; it never goes back. */
  clock: number;
  createdAt: number;
  paused: (By & { since: number }) | null;
  /** The stage that runs; the number of stages once all have passed. */
  stage: number;
  stages: StageState[];
  failure: Failure | null;
  rollback: { scope: 'failed' | 'all'; since: number; cause: string } | null;
  /** This release is not tried again before a newer commit, or by hand. */
  headHeld: boolean;
  /** State of the random numbers. */
  random: number;
  supersededBy: string | null;
}

export interface RolloutState {
  rollout: Rollout;
  targets: ReadonlyMap<string, Target>;
}

/** What is said of a target when a rollout begins, or when it joins one. */
export interface TargetInput {
  id: string;
  cluster: string;
  application: string;
  clusterLabels: Labels;
  applicationLabels: Labels;
  from: string | null;
  proven: Proven | null;
  to: string;
  connected: boolean;
  /** An earlier rollout left it on its way: it is disturbed already, so it comes first. */
  unsettled?: boolean;
  /** What it holds, where that is not `from` any more: with `to`, an earlier rollout gave it this and did not see it proven. */
  holds?: string;
  /** Why an operator's override holds it. */
  pinned?: string | null;
  /** What the release would prune there; left out: nothing. */
  removes?: Removals;
}

/** Objects that go: how many, and the first of them by identity (`group/Kind/namespace/name`). */
export interface Removals {
  count: number;
  names: string[];
}

export type Health = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Missing' | 'Unknown';

/** What an agent says of a target: which assignment it has applied, and how that is. */
export interface Report {
  kind: 'report';
  target: string;
  /** Of the assignment that was last applied completely. */
  version: Version;
  digest: string;
  health: Health;
  message?: string;
  /** Both by the agent's clock, and only ever compared with each other. What is observed as an apply ends is younger than it. */
  appliedAt: number;
  observedAt: number;
}

export type FactEvent =
  | Report
  /** The first version that holds this digest for the target. */
  | { kind: 'signed'; target: string; digest: string; version: Version }
  /** Its hello is finished. Reports must follow: those that were missed, then what is known of it by now. */
  | { kind: 'connected'; target: string }
  | { kind: 'disconnected'; target: string }
  | { kind: 'joined'; target: TargetInput }
  | { kind: 'left'; target: string }
  | { kind: 'pinned'; target: string; reason: string }
  /** `holds`: what it holds now that its override is gone; left out: what it held before. */
  | { kind: 'unpinned'; target: string; holds?: string | null }
  | { kind: 'blocked'; target: string; by: string; reason: string }
  | { kind: 'unblocked'; target: string }
  /** A window of its project lets no sync of it begin, until then at least; null: nobody knows. */
  | { kind: 'window-closed'; target: string; reason: string; until: number | null }
  | { kind: 'window-opened'; target: string }
  | {
      kind: 'gate';
      stage: string;
      gate: string;
      round: number;
      verdict: 'ok' | 'bad' | 'unknown';
      detail: string;
    }
  | { kind: 'superseded'; by: string }
  /** No hub was there for so long: nothing that was due meanwhile was missed by anyone but the hub. First of its batch. `until`: Unix milliseconds of its end. */
  | { kind: 'outage'; ms: number; until?: number };

/** What people ask for. Each is refused, with the reason, where it makes no sense: `refusal`. */
export type VerbEvent = By &
  (
    | { kind: 'approve'; stage: string; gate: string; groups: readonly string[] }
    | { kind: 'reject'; stage: string; gate: string; groups: readonly string[] }
    | { kind: 'pause' }
    | { kind: 'resume' }
    /** A target, a gate, or all that still waits in a stage is passed over. */
    | { kind: 'skip'; what: { target: string } | { stage: string; gate?: string } }
    /** What failed is tried again; without targets: all of it, gates too. */
    | { kind: 'retry'; targets?: readonly string[] }
    /** Starts targets that no stage has, or whose stage starts none (maxConcurrent 0). */
    | { kind: 'start'; targets: readonly string[] }
    | { kind: 'abort' }
    /** Everything that was touched goes back. */
    | { kind: 'undo' }
  );

export type RolloutEvent = FactEvent | VerbEvent;

/** To be carried out in the transaction that writes the step, or caused by a row that it writes. */
export type Action =
  /**
   * The target is to hold this digest from now on, and to be synced to it, whatever `automated` says. Sign it, and answer
   * `signed` in the same transaction.
   */
  | { kind: 'assign'; target: string; digest: string; release: string; purpose: 'advance' | 'restore' }
  | { kind: 'request-approval'; stage: string; gate: string; groups: string[]; count: number; until: number }
  /** Begin to measure, and answer `gate` with this round, once or repeatedly. */
  | { kind: 'evaluate-gate'; stage: string; gate: string; round: number }
  | { kind: 'close-gate'; stage: string; gate: string; round: number }
  | { kind: 'notify'; what: Notice; text: string }
  /** Decide again then, whatever happens before; replaces the earlier one. Null: only an event changes something. */
  | { kind: 'wake'; at: number | null };

export type Notice = 'stage-passed' | 'target-failed' | 'failed' | 'rollback-began' | 'ended' | 'head-held';

/** That something changed its state, and why. `subject`: `rollout`, `stage/NAME`, `gate/STAGE/NAME` or `target/ID`. */
export interface Transition {
  at: number;
  subject: string;
  from: string;
  to: string;
  cause: string;
  actor?: string;
  reason?: string;
}

/** What `decide` makes of events. `state` is the new state; the rows to write are `rollout` and `changed`. */
export interface Step {
  state: RolloutState;
  changed: Target[];
  actions: Action[];
  transitions: Transition[];
  /** What has to be kept so that `replay` comes to the same; null: nothing happened. */
  entry: LogEntry | null;
}

/** Events that were decided on at one time. */
export interface LogEntry {
  at: number;
  events: RolloutEvent[];
}
