import { z } from 'zod';

export const CommandView = z
  .object({
    id: z.uuid(),
    cluster: z.string(),
    application: z.string().optional().describe('namespace/name; absent: the whole cluster'),
    verb: z.enum(['sync', 'refresh', 'terminate', 'diff', 'confirm', 'act', 'run-job']),
    actor: z.string(),
    reason: z.string().optional(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    sentAt: z.iso.datetime().optional().describe('when it was first handed to the cluster'),
    outcome: z.enum(['succeeded', 'failed', 'refused', 'unknown', 'expired']).optional(),
    message: z.string().optional(),
    finishedAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Command' });
export type CommandView = z.infer<typeof CommandView>;

/** `?wait=SECONDS`: answer as soon as there is an outcome, at the latest after so long. */
export const GetCommand = z.object({ wait: z.coerce.number().int().min(0).max(120).default(0) });
export type GetCommand = z.infer<typeof GetCommand>;
