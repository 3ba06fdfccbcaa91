import { z } from 'zod';
import { PageQuery } from './paging.ts';

export const RolloutPolicyView = z
  .object({
    name: z.string(),
    stages: z.array(z.string()),
    selects: z.string().describe('the ApplicationSets that it is for; empty: those that name it'),
    superseding: z.enum(['supersede', 'queue', 'batch']),
    createdAt: z.string(),
    updatedAt: z.string(),
    updatedBy: z.string(),
    manifest: z.record(z.string(), z.unknown()).optional().describe('as applied; of a single one only'),
  })
  .meta({ id: 'RolloutPolicy' });
export type RolloutPolicyView = z.infer<typeof RolloutPolicyView>;

export const RolloutPolicyList = z
  .object({ items: z.array(RolloutPolicyView) })
  .meta({ id: 'RolloutPolicyList' });
export type RolloutPolicyList = z.infer<typeof RolloutPolicyList>;

export const RolloutPhase = z.enum([
  'pending',
  'running',
  'rolling-back',
  'failed',
  'completed',
  'rolled-back',
  'aborted',
  'superseded',
]);
export type RolloutPhase = z.infer<typeof RolloutPhase>;
const phase = RolloutPhase;
const release = z.object({
  id: z.string(),
  label: z.string(),
  number: z.number().optional().describe('of its owner; not there once the release is forgotten'),
  commit: z.string().optional(),
  message: z.string().optional().describe('first words of the commit'),
  author: z.string().optional(),
});
const stageSummary = z.object({
  name: z.string(),
  step: z.enum(['waiting', 'entry', 'rolling', 'soaking', 'end', 'passed']),
  since: z.iso.datetime(),
  size: z.number(),
  done: z.number(),
  states: z.record(z.string(), z.number()).describe('targets by their state'),
  removes: z
    .object({ count: z.number(), names: z.array(z.string()) })
    .optional()
    .describe('objects that the release prunes in it; at most 20 are named'),
});
export type RolloutStageSummary = z.infer<typeof stageSummary>;

const measurement = z.object({
  verdict: z.enum(['ok', 'bad', 'unknown']),
  at: z.iso.datetime(),
  detail: z.string(),
});

/** A check of a stage: what it asks for, and how far that is. */
export const RolloutGateView = z.object({
  name: z.string(),
  kind: z.enum(['approval', 'windows', 'prometheus', 'http', 'job']),
  at: z.enum(['entry', 'end']),
  status: z.enum(['pending', 'open', 'passed', 'failed', 'skipped']),
  since: z.iso.datetime(),
  until: z.iso.datetime().optional().describe('no later than then'),
  asks: z.string().describe('what it checks, in words'),
  count: z.number().optional().describe('approvals that are needed'),
  groups: z.array(z.string()).optional().describe('who may approve; empty: every approver'),
  yours: z.boolean().optional().describe('whether the asker may approve it, and has not yet'),
  approvals: z.array(z.object({ actor: z.string(), at: z.iso.datetime(), reason: z.string() })),
  bad: z.number().describe('measurements that were bad'),
  measuredFrom: z.iso
    .datetime()
    .optional()
    .describe(
      'it is pending, and will be measured from then on: what is healthy has to be so for long enough',
    ),
  unknownSince: z.iso.datetime().optional().describe('it cannot be measured since'),
  last: measurement.optional().describe('the newest measurement'),
  recent: z.array(measurement).optional().describe('the newest measurements, at most five, the newest last'),
  by: z
    .enum(['hub', 'clusters'])
    .optional()
    .describe('who measures: the hub, or the agents of the clusters, which the measurements name'),
  over: z
    .enum(['never-reached', 'undecided'])
    .optional()
    .describe('it is pending, and will not be asked (again) in this rollout'),
});
export type RolloutGateView = z.infer<typeof RolloutGateView>;

const stageDetail = stageSummary.extend({
  slots: z.number().describe('targets that may be on their way at once; 0: each is started by hand'),
  tolerated: z.number().describe('failures that are tolerated'),
  soakSeconds: z.number(),
  deadlineSeconds: z.number().optional(),
  onFailure: z.enum(['stop', 'rollback-failed', 'rollback-all']),
  gates: z.array(RolloutGateView),
});
export type RolloutStageDetail = z.infer<typeof stageDetail>;

export const RolloutView = z
  .object({
    id: z.string(),
    owner: z.string().describe('namespace/name of the ApplicationSet or the Application'),
    ownerKind: z.enum(['set', 'application']),
    project: z.string(),
    policy: z.string(),
    kind: z.enum(['release', 'undo']),
    phase,
    paused: z.boolean(),
    from: release.nullable(),
    to: release,
    stage: z.string().optional().describe('the one that runs'),
    stages: z.array(z.string()),
    headHeld: z.boolean().describe('the release is not tried again before a newer commit'),
    failure: z.string().optional(),
    createdAt: z.iso.datetime(),
    endedAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Rollout' });
export type RolloutView = z.infer<typeof RolloutView>;

/** With what can be said of it at a glance. */
export const RolloutListItem = RolloutView.extend({
  since: z.iso.datetime().describe('of its phase'),
  failedStage: z.string().optional(),
  progress: z.array(stageSummary).describe('without `states` once it has ended'),
  waitsFor: z.array(z.string()),
});
export type RolloutListItem = z.infer<typeof RolloutListItem>;

export const RolloutList = z
  .object({ items: z.array(RolloutListItem), next: z.string().optional() })
  .meta({ id: 'RolloutList' });
export type RolloutList = z.infer<typeof RolloutList>;

export const ListRollouts = PageQuery.extend({
  open: z.stringbool().default(false).describe('only those that have not ended'),
  owner: z.string().max(600).optional().describe('namespace/name'),
  search: z.string().max(253).optional().describe('part of the owner, without regard to case'),
  phase: phase.optional(),
  project: z.string().max(253).optional(),
  order: z
    .enum(['newest', 'urgent'])
    .default('newest')
    .describe('urgent: what is on its way, then what has stopped, then what has ended'),
});
export type ListRollouts = z.infer<typeof ListRollouts>;

/** What failed first, then what is on its way, what went back, what waits, what is done, and what takes no part. */
export const ListRolloutTargets = PageQuery.extend({
  search: z.string().max(600).optional().describe('part of the name of the Application or the cluster'),
  stage: z.string().max(253).optional(),
  group: z.enum(['failed', 'moving', 'waiting', 'back', 'done', 'out']).optional(),
});
export type ListRolloutTargets = z.infer<typeof ListRolloutTargets>;

export const GetRollout = z.object({
  targets: z.coerce.number().int().min(0).max(1000).default(1000).describe('how many to name'),
});
export type GetRollout = z.infer<typeof GetRollout>;

export const RolloutTargetView = z.object({
  id: z.string(),
  application: z.string(),
  cluster: z.string(),
  stage: z.string().optional(),
  state: z.string(),
  since: z.iso.datetime(),
  note: z.string().optional(),
  connected: z.boolean(),
  blocked: z.string().optional().describe('what outside the rollout holds it back'),
  soakUntil: z.iso.datetime().optional().describe('healthy until then, it is done'),
  dueAt: z.iso.datetime().optional().describe('not healthy by then, it has failed'),
});
export type RolloutTargetView = z.infer<typeof RolloutTargetView>;

export const RolloutTargetList = z
  .object({ items: z.array(RolloutTargetView), next: z.string().optional() })
  .meta({ id: 'RolloutTargetList' });
export type RolloutTargetList = z.infer<typeof RolloutTargetList>;

/** Where a rollout is, what it waits for and since when, and what comes next. */
export const RolloutDetail = RolloutView.extend({
  headline: z.string(),
  done: z.number(),
  total: z.number(),
  since: z.iso.datetime().describe('of its phase'),
  now: z.iso.datetime().describe('by the clock that rollouts go by'),
  pausedBy: z.object({ actor: z.string(), reason: z.string(), since: z.iso.datetime() }).optional(),
  failedStage: z.string().optional(),
  rollback: z
    .object({ scope: z.enum(['failed', 'all']), since: z.iso.datetime(), cause: z.string() })
    .optional(),
  supersededBy: z.string().optional().describe('the rollout that took its place'),
  progress: z.array(stageDetail),
  waitingFor: z.array(
    z.object({
      what: z.string(),
      who: z.array(z.string()),
      count: z.number(),
      text: z.string(),
      since: z.iso.datetime(),
      until: z.iso.datetime().optional(),
    }),
  ),
  circle: z
    .object({ text: z.string(), ends: z.string().describe('what has to happen for it to end') })
    .optional()
    .describe('what its targets wait for waits for itself'),
  next: z.object({ what: z.string(), at: z.iso.datetime().optional() }),
  lines: z.array(z.string()).describe('all of it for a terminal'),
  targets: z.array(RolloutTargetView).describe('as many as were asked for, those that are not done first'),
}).meta({ id: 'RolloutDetail' });
export type RolloutDetail = z.infer<typeof RolloutDetail>;

export const RolloutTransition = z.object({
  at: z.iso.datetime(),
  subject: z.string(),
  from: z.string(),
  to: z.string(),
  cause: z.string(),
  actor: z.string().optional(),
  reason: z.string().optional(),
});
export type RolloutTransition = z.infer<typeof RolloutTransition>;

/** What happened, newest first. */
export const RolloutLog = z
  .object({ items: z.array(RolloutTransition), next: z.string().optional() })
  .meta({ id: 'RolloutLog' });
export type RolloutLog = z.infer<typeof RolloutLog>;

/** Releases that `undo` may go back to, newest first. */
export const RolloutReleases = z
  .object({
    items: z.array(
      z.object({
        number: z.number(),
        cause: z.string(),
        commit: z.string().optional(),
        message: z.string().optional(),
        author: z.string().optional(),
        at: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'RolloutReleases' });
export type RolloutReleases = z.infer<typeof RolloutReleases>;

/** How a rollout came about, decided again from what was written down. */
/** How much of what happened is named. */
export const ReplayRollout = z.object({
  transitions: z.coerce.number().int().min(0).max(10_000).default(5_000).describe('how many to name'),
});
export type ReplayRollout = z.output<typeof ReplayRollout>;

export const RolloutReplay = z
  .object({
    id: z.string(),
    same: z.boolean().describe('deciding again led to the same state'),
    differences: z.array(z.string()),
    entries: z.number(),
    transitions: z.array(RolloutTransition).describe('oldest first, as many as were asked for'),
    omitted: z.number().optional().describe('so many came after these; `log` has all, page by page'),
  })
  .meta({ id: 'RolloutReplay' });
export type RolloutReplay = z.infer<typeof RolloutReplay>;

const name = z.string().min(1).max(600);
const reason = z.string().max(1000).default('').describe('for the audit log and the history');

/** What somebody asks of a rollout. */
export const RolloutVerb = z
  .discriminatedUnion('verb', [
    z.strictObject({ verb: z.literal('pause'), reason }),
    z.strictObject({ verb: z.literal('resume'), reason }),
    z.strictObject({ verb: z.literal('approve'), stage: name.optional(), gate: name.optional(), reason }),
    z.strictObject({ verb: z.literal('reject'), stage: name.optional(), gate: name.optional(), reason }),
    z.strictObject({
      verb: z.literal('skip'),
      target: name.optional(),
      stage: name.optional(),
      gate: name.optional(),
      reason,
    }),
    z.strictObject({ verb: z.literal('retry'), targets: z.array(name).max(1000).optional(), reason }),
    z.strictObject({ verb: z.literal('start'), targets: z.array(name).min(1).max(1000), reason }),
    z.strictObject({ verb: z.literal('abort'), reason }),
    z.strictObject({
      verb: z.literal('undo'),
      to: z.number().int().min(1).optional().describe('number of a release, once the rollout has ended'),
      reason,
    }),
  ])
  .meta({ id: 'RolloutVerb' });
export type RolloutVerb = z.infer<typeof RolloutVerb>;
