import { z } from 'zod';

export const AcceptDrift = z
  .strictObject({
    /** `group/Kind/namespace/name`, as resources are keyed; without it every resource that drifted. */
    resource: z.string().max(1000).optional(),
    /** The path of a field as the drift shows it; without it every field that differs. */
    field: z.string().max(2000).optional(),
    reason: z.string().max(1000).optional(),
  })
  .meta({ id: 'AcceptDrift' });
export type AcceptDrift = z.infer<typeof AcceptDrift>;

export const ForgetDrift = AcceptDrift.pick({ resource: true, field: true });
export type ForgetDrift = z.infer<typeof ForgetDrift>;

export const AcceptedDrift = z
  .object({
    items: z.array(
      z.object({
        resource: z.string(),
        field: z.string(),
        /** The entry of `spec.ignoreDifferences` that says the same. */
        rule: z.record(z.string(), z.unknown()),
        acceptedBy: z.string(),
        acceptedAt: z.string(),
        reason: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'AcceptedDrift' });
export type AcceptedDrift = z.infer<typeof AcceptedDrift>;
