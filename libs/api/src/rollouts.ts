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

const phase = z.enum([
  'pending',
  'running',
  'rolling-back',
  'failed',
  'completed',
  'rolled-back',
  'aborted',
  'superseded',
]);
const release = z.object({ id: z.string(), label: z.string() });
const stageSummary = z.object({
  name: z.string(),
  step: z.enum(['waiting', 'entry', 'rolling', 'soaking', 'end', 'passed']),
  since: z.iso.datetime(),
  size: z.number(),
  done: z.number(),
  states: z.record(z.string(), z.number()).describe('targets by their state'),
});

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

export const RolloutList = z
  .object({ items: z.array(RolloutView), next: z.string().optional() })
  .meta({ id: 'RolloutList' });
export type RolloutList = z.infer<typeof RolloutList>;

export const ListRollouts = PageQuery.extend({
  open: z.stringbool().default(false).describe('only those that have not ended'),
  owner: z.string().max(600).optional().describe('namespace/name'),
});
export type ListRollouts = z.infer<typeof ListRollouts>;

export const RolloutTargetView = z.object({
  id: z.string(),
  application: z.string(),
  cluster: z.string(),
  stage: z.string().optional(),
  state: z.string(),
  since: z.iso.datetime(),
  note: z.string().optional(),
  connected: z.boolean(),
});
export type RolloutTargetView = z.infer<typeof RolloutTargetView>;

/** Where a rollout is, what it waits for and since when, and what comes next. */
export const RolloutDetail = RolloutView.extend({
  headline: z.string(),
  done: z.number(),
  total: z.number(),
  progress: z.array(stageSummary),
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
  next: z.object({ what: z.string(), at: z.iso.datetime().optional() }),
  lines: z.array(z.string()).describe('all of it for a terminal'),
  targets: z.array(RolloutTargetView).describe('at most 1000, those that are not done first'),
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

/** How a rollout came about, decided again from what was written down. */
export const RolloutReplay = z
  .object({
    id: z.string(),
    same: z.boolean().describe('deciding again led to the same state'),
    differences: z.array(z.string()),
    entries: z.number(),
    transitions: z.array(RolloutTransition),
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
