import { z } from 'zod';

/** What a link of the chain is about; each has its own colour and picture wherever it is shown. */
export const WhyKind = z.enum([
  'expansion',
  'source',
  'render',
  'work',
  'policy',
  'pinned',
  'held',
  'paused',
  'turn',
  'stage',
  'approval',
  'window',
  'gate',
  'dependency',
  'slot',
  'hand',
  'budget',
  'rollback',
  'failed',
  'skipped',
  'soak',
  'deletion',
  'destination',
  'cluster',
  'recovery',
  'agent',
  'delivery',
  'refused',
  'observe-only',
  'sync-window',
  'manual',
  'operation',
  'wave',
  'sync-failed',
  'prune',
  'drift',
  'health',
]);
export type WhyKind = z.infer<typeof WhyKind>;

/** One thing that blocks a target. */
export const WhyLink = z
  .object({
    kind: WhyKind,
    text: z.string().describe('one sentence'),
    since: z.iso.datetime().optional(),
    until: z.iso.datetime().optional().describe('when it ends by itself at the latest'),
    ends: z.string().optional().describe('what ends it'),
    command: z.string().optional().describe('the command line that ends it, or that shows more'),
    who: z.string().optional().describe('who can'),
  })
  .meta({ id: 'WhyLink' });
export type WhyLink = z.infer<typeof WhyLink>;

const WhyGroup = z.object({
  kind: WhyKind,
  text: z.string(),
  count: z.number(),
  since: z.iso.datetime().optional().describe('the earliest'),
  examples: z.array(z.string()).describe('namespace/name@cluster, at most 5'),
  command: z.string().optional(),
  who: z.string().optional(),
});

/** What blocks a target, or the targets of an ApplicationSet: what blocks now comes first, what comes after it follows. */
export const WhyView = z
  .object({
    kind: z.enum(['application', 'set']),
    of: z.string().describe('namespace/name'),
    project: z.string(),
    cluster: z.string().optional(),
    set: z.string().optional().describe('the ApplicationSet that it belongs to'),
    blocked: z.boolean(),
    headline: z.string().describe('one line that says it all'),
    links: z.array(WhyLink).describe('of an ApplicationSet: what blocks all of it'),
    targets: z
      .object({
        total: z.number(),
        blocked: z.number(),
        more: z.boolean().describe('there are more than were looked at'),
        omitted: z
          .object({ groups: z.number(), targets: z.number() })
          .optional()
          .describe('what is blocked by something else, beyond the 50 reasons that block most'),
        groups: z.array(WhyGroup).describe('by what blocks them first, the largest first, at most 50'),
      })
      .optional()
      .describe('of an ApplicationSet'),
  })
  .meta({ id: 'Why' });
export type WhyView = z.infer<typeof WhyView>;

export const AskWhy = z.object({
  cluster: z.string().max(253).optional().describe('the one that is asked about, by name'),
});
export type AskWhy = z.infer<typeof AskWhy>;
