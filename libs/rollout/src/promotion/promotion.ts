import type { ApprovalCheck, Window } from '../policy.ts';

/** Whose releases an environment is. */
export interface EnvironmentOwner {
  kind: 'ApplicationSet' | 'Application';
  namespace: string;
  name: string;
}

/** A field of a YAML file, and where its new value is found. */
export interface FieldCopy {
  file: string;
  field: string;
  fromFile: string;
  fromField: string;
}

/** What is done to an environment so that it becomes like the one before it. */
export type PromotedChange =
  /** The files below the path of the environment before, but for some files and some fields of files. */
  | { kind: 'copy'; exclude: string[]; keep: { file: string; fields: string[] }[] }
  /** The branch of the environment before; `exact`: the branch gets that very tree, whatever else it had. */
  | { kind: 'merge'; exact: boolean }
  | { kind: 'set'; fields: FieldCopy[] };

export interface Environment {
  name: string;
  owner: EnvironmentOwner;
  branch: string;
  /** Below which its files are; empty: the whole repository. */
  path: string;
  /** Null for the first one. */
  change: (PromotedChange & { mode: 'commit' | 'pull-request' }) | null;
  /** The environment before it has to be healthy for so long. */
  soakMs: number;
  windows: Window[];
  production: boolean;
  /** Null: none is needed. */
  approval: ApprovalCheck | null;
  /** Needed where objects would go and `approval` asks nobody; null: waived. */
  pruneApproval: ApprovalCheck | null;
}

/** How what passed one environment reaches the next. */
export interface Promotion {
  name: string;
  project: string;
  repository: string;
  host: { kind: 'github' | 'gitlab' | 'gitea' | 'bitbucketServer'; api: string | null } | null;
  environments: Environment[];
}

/** What the environment before is at. */
export type EnvironmentStanding =
  /** Its newest release is proven on all of its targets, since then (Unix milliseconds). */
  | { kind: 'passed'; release: string; number: number; label: string; commit: string; since: number }
  /** It is on its way, or nothing is known of it. */
  | { kind: 'not-yet'; why: string };

export type ChangeState =
  /** For a gate, for health, or for its turn. */
  | 'waiting'
  /** A pull request is open. */
  | 'open'
  /** It cannot be made of what the branch has now; tried again when that may have changed. */
  | 'conflict'
  /** Something else kept it from being made; tried again. */
  | 'failed'
  | 'done'
  | 'closed'
  | 'rejected'
  | 'expired'
  | 'superseded';

/** One change of one environment, as it is kept. Times are Unix milliseconds. */
export interface PromotionChange {
  id: string;
  state: ChangeState;
  since: number;
  createdAt: number;
  release: string;
  number: number;
  commit: string;
  removals: { count: number; names: string[] } | null;
  approvals: { actor: string; reason: string; at: string }[];
  retryAt: number | null;
}

export type ChangeStep =
  | { kind: 'nothing'; why: string }
  /** A change begins; one that is not through is superseded by it. */
  | { kind: 'begin' }
  | { kind: 'wait'; why: string; until: number | null }
  | { kind: 'expire'; why: string }
  | { kind: 'apply' }
  | { kind: 'watch' };
