import { z } from 'zod';

const ChangeState = z.enum([
  'waiting',
  'open',
  'conflict',
  'failed',
  'done',
  'closed',
  'rejected',
  'expired',
  'superseded',
]);

export const PromotionChangeView = z
  .object({
    id: z.string(),
    environment: z.string(),
    state: ChangeState,
    since: z.iso.datetime(),
    why: z.string().describe('what it waits for, or how it ended'),
    release: z.number().int().describe('of the environment before'),
    commit: z.string().describe('that is promoted'),
    removes: z
      .object({ count: z.number(), names: z.array(z.string()) })
      .optional()
      .describe('objects that the environment would lose, by kind and name'),
    approvals: z.array(z.object({ actor: z.string(), reason: z.string(), at: z.iso.datetime() })),
    asks: z
      .object({
        count: z.number().int().describe('that are missing'),
        groups: z.array(z.string()),
        yours: z.boolean().describe('you are in one of the groups, and did not approve it yet'),
        until: z.iso.datetime(),
      })
      .optional()
      .describe('approvals that are needed before it is made'),
    retryAt: z.iso.datetime().optional(),
    branch: z.string().optional(),
    pullRequest: z.object({ number: z.number().int(), url: z.string() }).optional(),
    result: z.string().optional().describe('the commit that was made'),
    createdAt: z.iso.datetime(),
    endedAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'PromotionChange' });
export type PromotionChangeView = z.infer<typeof PromotionChangeView>;

export const PromotionEnvironmentView = z.object({
  name: z.string(),
  owner: z.string().describe('namespace/name'),
  ownerKind: z.enum(['ApplicationSet', 'Application']),
  branch: z.string(),
  path: z.string().describe('empty: the whole repository'),
  production: z.boolean(),
  change: z.enum(['copy', 'merge', 'set']).optional().describe('left out: the first one'),
  mode: z.enum(['commit', 'pull-request']).optional(),
  passed: z.boolean().describe('its newest release is proven on all of its targets'),
  standing: z.string().describe('what it is at, in words'),
  passedAt: z.iso.datetime().optional(),
  release: z
    .object({ number: z.number().int(), commit: z.string() })
    .optional()
    .describe('its newest, once it has passed'),
  current: PromotionChangeView.optional().describe('the change on its way to it'),
  last: PromotionChangeView.optional().describe('the newest that has ended'),
});
export type PromotionEnvironmentView = z.infer<typeof PromotionEnvironmentView>;

export const PromotionView = z
  .object({
    name: z.string(),
    project: z.string(),
    repository: z.string(),
    paused: z.object({ actor: z.string(), reason: z.string(), at: z.string() }).optional(),
    environments: z.array(PromotionEnvironmentView),
    lookedAt: z.iso.datetime().optional(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    updatedBy: z.string(),
    manifest: z.record(z.string(), z.unknown()).optional().describe('as applied; of a single one only'),
    history: z.array(PromotionChangeView).optional().describe('newest first; of a single one only'),
  })
  .meta({ id: 'Promotion' });
export type PromotionView = z.infer<typeof PromotionView>;

export const PromotionList = z.object({ items: z.array(PromotionView) }).meta({ id: 'PromotionList' });
export type PromotionList = z.infer<typeof PromotionList>;

/** What somebody asks of a promotion; `environment` may be left out where one only is meant. */
export const PromotionVerb = z
  .strictObject({
    verb: z.enum(['approve', 'reject', 'pause', 'resume', 'retry']),
    environment: z.string().min(1).max(63).optional(),
    reason: z.string().max(1000).default('').describe('for the audit log and the commit'),
  })
  .meta({ id: 'PromotionVerb' });
export type PromotionVerb = z.infer<typeof PromotionVerb>;
