import { z } from 'zod';
import { Condition } from './conditions.ts';
import { PageQuery } from './paging.ts';
import { PinView } from './pins.ts';
import { RolloutPhase } from './rollouts.ts';

export const ListApplications = PageQuery.extend({
  project: z.string().optional(),
  cluster: z.string().optional(),
  /** `namespace/name` or name of an ApplicationSet. */
  set: z.string().optional(),
  sync: z.string().optional(),
  health: z.string().optional(),
  /** `key=value`, or `key`; several separated by commas. */
  label: z.string().optional(),
  /** Part of the name, without regard to case. */
  search: z.string().max(253).optional(),
});
export type ListApplications = z.infer<typeof ListApplications>;

const Source = z.object({
  repoURL: z.string(),
  path: z.string().optional(),
  chart: z.string().optional(),
  targetRevision: z.string(),
});

const Named = z.object({ group: z.string(), kind: z.string(), namespace: z.string(), name: z.string() });

/** A sync or a removal; from `step` on only what agents report that can tell. */
const Operation = z.object({
  phase: z.string(),
  message: z.string(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  commandId: z.string().optional(),
  retries: z.number(),
  /** PreSync, Sync, PostSync, SyncFail, PreDelete, Delete or PostDelete, while it runs. */
  step: z.string().optional(),
  wave: z.number().optional(),
  /** When it fails at the latest. */
  deadline: z.string().optional(),
  /** What it waits for: the first ones, and how many there are. */
  waitsFor: z
    .array(Named.extend({ health: z.string().optional(), message: z.string().optional() }))
    .optional(),
  waitsForTotal: z.number().optional(),
  /** Hooks that have begun. */
  hooks: z
    .array(
      Named.extend({
        step: z.string(),
        /** Running, Succeeded or Failed. */
        status: z.string(),
        message: z.string().optional(),
      }),
    )
    .optional(),
  /** It failed and is tried again by itself; without a limit: until it succeeds. */
  nextTry: z
    .object({ attempt: z.number(), limit: z.number().optional(), at: z.string().optional() })
    .optional(),
});

export const ApplicationView = z
  .object({
    namespace: z.string(),
    name: z.string(),
    project: z.string(),
    set: z.string().optional(),
    /** `namespace/name` of the app of apps that it is a child of. */
    root: z.string().optional(),
    /** An app of apps: the hub itself is (part of) its destination. */
    ofHub: z.boolean().optional(),
    labels: z.record(z.string(), z.string()),
    destination: z.object({
      cluster: z.string().optional(),
      server: z.string().optional(),
      namespace: z.string(),
    }),
    /** The first, where there are several. */
    source: Source,
    /** All of them in order, where there are several: `commit` is what is assigned now, `latestCommit` where another one is there by now. */
    sources: z
      .array(
        Source.extend({
          ref: z.string().optional(),
          name: z.string().optional(),
          commit: z.string().optional(),
          latestCommit: z.string().optional(),
          /** It was rendered with `latestCommit`, and that changes nothing of it. */
          unchanged: z.boolean().optional(),
        }),
      )
      .optional(),
    /** What is assigned now came from this commit; of several sources, the first one's. The rest is of the release. */
    revision: z
      .object({
        commit: z.string(),
        message: z.string().optional(),
        author: z.string().optional(),
        at: z.string().optional(),
        /** Newer commits that it was rendered with and that change nothing of it. */
        unchangedBy: z.array(z.string()).optional(),
      })
      .optional(),
    /** Where targetRevision points now, when that is another commit. */
    latestCommit: z.string().optional(),
    automated: z.boolean(),
    sync: z.string(),
    health: z.string(),
    healthMessage: z.string(),
    /** Since when sync and health are what they are. */
    since: z.string().optional(),
    observedAt: z.string().optional(),
    clusterState: z.object({ connected: z.boolean(), silentSince: z.string().optional() }).optional(),
    conditions: z.array(Condition),
    operation: Operation.optional(),
    leaving: z
      .object({
        at: z.string(),
        action: z.enum(['orphan', 'uninstall']),
        held: z.string().optional(),
        signed: z.boolean(),
        /** What the removal that is under way does or waits for. */
        waits: z.string().optional(),
      })
      .optional(),
    release: z.object({ id: z.string(), number: z.number() }).optional(),
    /** An operator keeps it at one release: nothing newer moves it. */
    pinned: PinView.optional(),
    /** A rollout decides what it holds: its turn has not come, it is on its way, it failed, or its newest release is held back. */
    rollout: z
      .object({
        /** None: it waits for a rollout that has not begun. */
        id: z.string().optional(),
        phase: RolloutPhase.optional(),
        paused: z.boolean().optional(),
        /** Its state as a target, or `held`: it is kept from its newest release by a rollout that is over. */
        state: z.string(),
        reason: z.string().optional(),
        since: z.string(),
        /** What it is kept at meanwhile; empty: at nothing. Absent: at its newest release. */
        holds: z.object({ release: z.number().optional(), commit: z.string().optional() }).optional(),
      })
      .optional(),
  })
  .meta({ id: 'Application' });
export type ApplicationView = z.infer<typeof ApplicationView>;

export const ApplicationList = z
  .object({ items: z.array(ApplicationView), next: z.string().optional() })
  .meta({ id: 'ApplicationList' });
export type ApplicationList = z.infer<typeof ApplicationList>;

/** Whether an Application is at a commit, or beyond it. */
export const ApplicationRevision = z
  .object({
    /** It is to hold what the commit says. */
    reached: z.boolean(),
    /**
     * `assigned`: at that very commit. `contained`: at a later one. `unchanged`: rendered with it (or a later one), and that
     * changes nothing. `coming`: not rendered yet. `held`: kept back. `failed`: cannot be rendered. `elsewhere`: no part of
     * what its sources follow. `unseen`: the hub does not know it.
     */
    how: z.enum(['assigned', 'contained', 'unchanged', 'coming', 'held', 'failed', 'elsewhere', 'unseen']),
    /** What is assigned. */
    at: z.string().optional(),
    message: z.string(),
  })
  .meta({ id: 'ApplicationRevision' });
export type ApplicationRevision = z.infer<typeof ApplicationRevision>;

/** One Application with its specification. */
export const ApplicationDetail = ApplicationView.extend({ manifest: z.record(z.string(), z.unknown()) }).meta(
  { id: 'ApplicationDetail' },
);
export type ApplicationDetail = z.infer<typeof ApplicationDetail>;

export const SyncRequest = z
  .strictObject({
    prune: z.boolean().optional(),
    dryRun: z.boolean().default(false),
    /** Only these: `group:Kind:name` or `group:Kind:namespace/name`, globs, `!` in front excludes. No hooks run then. */
    resources: z.array(z.string().min(1).max(800)).max(200).optional(),
    /** Replace or delete and make anew instead of applying, as the options Replace=true and Force=true. */
    replace: z.boolean().optional(),
    force: z.boolean().optional(),
    /** Refused when what is assigned comes from another commit. */
    revision: z.string().max(200).optional(),
    reason: z.string().max(1000).optional(),
  })
  .meta({ id: 'SyncRequest' });
export type SyncRequest = z.infer<typeof SyncRequest>;

export const ConfirmRequest = z
  .strictObject({
    /** Only these (as of a sync); left out: all that waits for a confirmation. */
    resources: z.array(z.string().min(1).max(800)).max(200).optional(),
    reason: z.string().max(1000).optional(),
  })
  .meta({ id: 'ConfirmRequest' });
export type ConfirmRequest = z.infer<typeof ConfirmRequest>;

export const DeleteApplication = z.object({
  /** Default: what the resources finalizer of the Application says. */
  cascade: z.stringbool().optional(),
});
export type DeleteApplication = z.infer<typeof DeleteApplication>;

/** A command was sent; GET /commands/{id} tells how it ended. */
export const CommandStarted = z
  .object({
    command: z.string(),
    silent: z
      .object({ cluster: z.string(), since: z.iso.datetime(), expiresAt: z.iso.datetime() })
      .optional()
      .describe('its agent cannot be heard: the command is carried out when it is back, or expires'),
  })
  .meta({ id: 'CommandStarted' });
export type CommandStarted = z.infer<typeof CommandStarted>;

export const ApplicationHistory = z
  .object({
    releases: z.array(
      z.object({
        id: z.string(),
        number: z.number(),
        cause: z.string(),
        commit: z.string().optional(),
        /** Of each source, where there are several. */
        commits: z.array(z.string()).optional(),
        message: z.string().optional(),
        author: z.string().optional(),
        at: z.string(),
        bundle: z.string().optional(),
        removed: z.enum(['orphan', 'uninstall']).optional(),
      }),
    ),
    deployments: z.array(
      z.object({
        cluster: z.string(),
        bundle: z.string(),
        release: z.string().optional(),
        commit: z.string().optional(),
        commits: z.array(z.string()).optional(),
        appliedAt: z.string(),
        healthyAt: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'ApplicationHistory' });
export type ApplicationHistory = z.infer<typeof ApplicationHistory>;

export const ApplicationResources = z
  .object({
    observedAt: z.string().optional(),
    /** The cluster cannot be heard: `sync` and `health` are Unknown, `lastObserved` is what it said last (`sync`, `health`, `at`). */
    silentSince: z.string().optional(),
    resources: z.array(z.record(z.string(), z.unknown())),
  })
  .meta({ id: 'ApplicationResources' });
export type ApplicationResources = z.infer<typeof ApplicationResources>;

/** Objects of the bundle that is assigned; values of Secrets are masked. */
export const ApplicationManifests = z
  .object({
    bundle: z.string().optional(),
    commit: z.string().optional(),
    objects: z.array(z.record(z.string(), z.unknown())),
  })
  .meta({ id: 'ApplicationManifests' });
export type ApplicationManifests = z.infer<typeof ApplicationManifests>;

/** Field-level differences as the agent found them, redacted. */
export const ApplicationDiff = z
  .object({
    command: z.string(),
    outcome: z.string(),
    message: z.string(),
    resources: z.array(z.record(z.string(), z.unknown())),
  })
  .meta({ id: 'ApplicationDiff' });
export type ApplicationDiff = z.infer<typeof ApplicationDiff>;
