import type { Dependency } from './dependencies.ts';
import type { Quantity } from './quantity.ts';
import type { LabelSelector } from './selector.ts';

/** When things may happen: by a schedule, or once between two times. All by the hub's clock. */
export type Window = { deny: boolean; reason?: string } & (
  | { schedule: string; timeZone: string; durationMs: number }
  | { fromMs: number; untilMs: number }
);

/** What must hold before a stage starts its first target, or before it has passed. */
export type Gate = { name: string; at: 'entry' | 'end' } & GateCheck;

export type GateCheck =
  | ApprovalCheck
  | { kind: 'windows'; windows: Window[] }
  | PrometheusCheck
  | HttpCheck
  | JobCheck;

/** `count` different people, each of one of the groups (none: whoever may approve), within `expiresMs` of being asked. */
export interface ApprovalCheck {
  kind: 'approval';
  groups: string[];
  count: number;
  expiresMs: number;
}

/** What a measurement says: `unknown` is never taken for good, nor for bad. */
export type Verdict = 'ok' | 'bad' | 'unknown';

/** A measurement that is repeated until it has passed. */
export interface Probe {
  intervalMs: number;
  /** More bad ones fail the gate. */
  failures: number;
  /** So many good ones in a row pass it. */
  successes: number;
  /** Over the soak: nothing is measured before something was healthy at the release for so long. Left out: at once. */
  initialDelayMs?: number;
  /** One question is given up after so long. */
  answerMs: number;
  /** The gate fails unless it has passed so long after everything else has. */
  timeoutMs: number;
}

/** A query whose every sample has to meet every condition, measured over the soak. */
export interface PrometheusCheck extends Probe {
  kind: 'prometheus';
  query: string;
  conditions: Condition[];
  /** The central one, or the one inside each cluster of the stage. */
  from: 'hub' | 'cluster';
  /** `namespace/name:port` inside the cluster; null: the one that the agent is set to. */
  service: string | null;
  noData: Verdict;
}

export interface HttpCheck extends Probe {
  kind: 'http';
  url: string;
  method: 'GET' | 'HEAD' | 'POST';
  statuses: StatusRange[];
  body: BodyCheck | null;
  /** Name of the headers that the hub is given for it; they are nowhere shown. */
  headersFrom: string | null;
  over: 'soak' | 'once';
}

/** Both ends included. */
export interface StatusRange {
  from: number;
  to: number;
}

/** At a path of a JSON document (null: of the whole text): a value, or a text that an expression of RE2 finds. */
export interface BodyCheck {
  json: string | null;
  equals: string | number | boolean | null | undefined;
  matches: string | null;
}

/** A Job that has to succeed in the clusters of the stage, or in the first of them. */
export interface JobCheck {
  kind: 'job';
  manifest: Record<string, unknown>;
  run: 'each' | 'first';
  timeoutMs: number;
  /** What it says of a cluster that does not hold the Application yet, where nothing can run for it. Left out: unknown. */
  absent?: 'ok' | 'unknown';
}

export interface Condition {
  operator: '<' | '<=' | '>' | '>=' | '==' | '!=';
  value: number;
}

/** What becomes of what the release has reached, once a stage has failed. */
export type OnFailure = 'stop' | 'rollback-failed' | 'rollback-all';

/** What becomes of a target whose agent is not connected when its turn has come. */
export interface Offline {
  mode: 'wait' | 'skip' | 'catch-up';
  /** It counts as offline after so long without its agent. */
  afterMs: number;
}

export type Order =
  | { by: 'name'; descending: boolean }
  | { by: 'label'; label: string; descending: boolean }
  | { by: 'random' };

export interface Rate {
  /** Starts a minute; null: as fast as slots are free. */
  perMinute: number | null;
  /** 0–1: each pause between starts is longer or shorter by up to this share. */
  jitter: number;
  /** Slots for each value of a cluster label, besides those of the stage. */
  perLabel: { label: string; max: Quantity } | null;
}

export interface StagePolicy {
  name: string;
  /** Over labels of the cluster. */
  clusters: LabelSelector;
  /** Over labels of the Application. */
  applications: LabelSelector;
  /** So many of those selected that no earlier stage took, or so many for each value of a label; null: all of them. */
  take: { quantity: Quantity; per: string | null } | null;
  /** 0: none is started but by hand. */
  maxConcurrent: Quantity;
  order: Order;
  rate: Rate;
  soakMs: number;
  /** How long a target may take to become healthy; null: any time. */
  deadlineMs: number | null;
  /** How many may fail before the stage has failed. */
  failureBudget: Quantity;
  /** False: a Degraded target is waited for, as Argo CD's rollingSync does. */
  failOnDegraded: boolean;
  offline: Offline;
  onFailure: OnFailure;
  gates: Gate[];
  /** A release that prunes here needs an approval. */
  production: boolean;
  /** What each of its targets waits for, before it is started; names without a namespace are of the namespace of the set. */
  dependsOn: Dependency[];
}

/** How releases move through a fleet: read, checked, with every default filled in. Plain data. */
export interface RolloutPolicy {
  name: string;
  source: 'RolloutPolicy' | 'rollingSync';
  /** ApplicationSets that it is for; null: only those that name it by annotation. */
  applicationSets: LabelSelector | null;
  stages: StagePolicy[];
  /** Hold every start, in every stage. */
  windows: Window[];
  rollback: { maxConcurrent: Quantity; deadlineMs: number; windowsHold: boolean };
  superseding: 'supersede' | 'queue' | 'batch';
  /** Asked for before a production stage where the release prunes; null: waived. */
  pruneApproval: ApprovalCheck | null;
}

/** Names a policy on an ApplicationSet. */
export const POLICY_ANNOTATION = 'muster.dev/rollout-policy';
