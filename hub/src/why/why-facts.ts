import type { TargetBlocker } from '@muster/rollout';
import type { ApplicationCondition, SetCondition } from '../store/schema.ts';
import type { StoredOperation } from '../status/bounds.ts';

/** Everything that is known of a target and may keep it from what it should be. Times are as they were observed. */
export interface WhyFacts {
  namespace: string;
  name: string;
  project: string;
  /** `namespace/name` of its ApplicationSet. */
  set: string | null;
  setConditions: readonly SetCondition[];
  /** Of its sources: those that cannot be read, or that do not resolve. */
  sources: readonly { url: string; revision: string; error: string; since: Date | null }[];
  /** What the hub found when it rendered. */
  conditions: readonly ApplicationCondition[];
  /** Something was rendered for it, at least once. */
  rendered: boolean;
  /** Work of its owner that waits in the queue, oldest first. */
  work: readonly { queue: string; since: Date; attempts: number }[];
  /** Why no rollout of its owner begins. */
  problem: { message: string; since: Date } | null;
  rollout: RolloutFacts | null;
  hold: HoldFacts | null;
  pin: PinFacts | null;
  /** What it depends on and is not given before. */
  waits: { on: readonly { on: string; reason: string }[]; since: Date } | null;
  leaving: LeavingFacts | null;
  /** As written in its specification. */
  destination: string;
  /** The hub itself is its destination. */
  onHub: boolean;
  cluster: ClusterState | null;
  recovery: { since: Date; reason: string } | null;
  assignment: AssignmentFacts | null;
  status: StatusFacts | null;
  sync: string;
  health: string;
  policy: { automated: boolean; selfHeal: boolean; prune: boolean };
  /** Objects that are not healthy, the first of them. */
  unhealthy: readonly { name: string; health: string; message: string }[];
  release: { label: string; commit: string | null } | null;
}

/** What the open rollouts of its owner say of it. */
export interface RolloutFacts {
  /** `namespace/name` that commands take. */
  owner: string;
  /** Each with what its release is called. */
  blockers: readonly (TargetBlocker & { label: string })[];
}

/** Why it holds something else than the newest release. */
export interface HoldFacts {
  reason: string;
  since: Date;
  /** The release that it holds meanwhile; null: nothing, or one that is forgotten. */
  label: string | null;
  /** It holds nothing at all. */
  empty: boolean;
  /** The rollout that holds it back has ended. */
  ended: { phase: string; label: string; failure: string | null } | null;
}

export interface PinFacts {
  by: string;
  reason: string;
  since: Date;
  until: Date | null;
  /** The release that it is kept at. */
  label: string | null;
}

export interface LeavingFacts {
  at: Date;
  action: string;
  /** Why it waits for an approval. */
  held: string | null;
  /** Its tombstone is signed. */
  signedAt: Date | null;
}

export interface ClusterState {
  name: string;
  state: 'pending' | 'active' | 'recovered' | 'removing';
  since: Date;
  /** Never heard: null; else when its lease ended, where it has. */
  lastSeen: Date | null;
  silentSince: Date | null;
}

export interface AssignmentFacts {
  action: 'apply' | 'orphan' | 'uninstall';
  signedAt: Date;
  ackedAt: Date | null;
  refused: string | null;
  /** It is what the target is to hold now. */
  current: boolean;
}

export interface StatusFacts {
  /** It is about what is assigned now. */
  current: boolean;
  /** What is assigned now was applied. */
  applied: boolean;
  message: string;
  observedAt: Date;
  syncSince: Date;
  healthSince: Date;
  conditions: readonly ApplicationCondition[];
  operation: StoredOperation | null;
}
