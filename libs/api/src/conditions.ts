import { z } from 'zod';

/** Something that is not as asked for, in words. `type` is a stable word such as RenderError. */
export const Condition = z
  .object({ type: z.string(), message: z.string(), since: z.string().optional() })
  .meta({ id: 'Condition' });
export type Condition = z.infer<typeof Condition>;
