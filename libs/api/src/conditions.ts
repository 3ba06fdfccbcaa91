import { z } from 'zod';

/** Something that is not as asked for, in words. `type` is a stable word such as RenderError. */
export const Condition = z
  .object({ type: z.string(), message: z.string(), since: z.string().optional() })
  .meta({ id: 'Condition' });
export type Condition = z.infer<typeof Condition>;

/** Keyset paging: `after` is the `next` of the answer before. */
export const Paging = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(1000).optional(),
};
