import { z } from 'zod';

export const SetCondition = z
  .object({
    type: z.string(),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string(),
    message: z.string(),
    lastTransitionTime: z.string(),
  })
  .meta({ id: 'ApplicationSetCondition' });
export type SetCondition = z.infer<typeof SetCondition>;

export const ApplicationSetView = z
  .object({
    namespace: z.string(),
    name: z.string(),
    project: z.string(),
    manifest: z.record(z.string(), z.unknown()).optional(),
    applications: z.number(),
    leaving: z.number(),
    /** Removals that wait for an approval (POST …/approve-deletions). */
    held: z.number(),
    deleting: z.boolean(),
    conditions: z.array(SetCondition),
    release: z.object({ id: z.string(), number: z.number(), cause: z.string(), at: z.string() }).optional(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'ApplicationSet' });
export type ApplicationSetView = z.infer<typeof ApplicationSetView>;

export const ApplicationSetList = z
  .object({ items: z.array(ApplicationSetView), next: z.string().optional() })
  .meta({ id: 'ApplicationSetList' });
export type ApplicationSetList = z.infer<typeof ApplicationSetList>;
