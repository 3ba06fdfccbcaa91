import { z } from 'zod';
import { PageQuery } from './paging.ts';

const Version = z.object({ epoch: z.string(), generation: z.string() });

export const RecoveryView = z
  .object({
    recovering: z.boolean(),
    since: z.iso.datetime().optional(),
    reason: z.string().optional(),
    epoch: z.string(),
    highestHeard: Version.describe('the highest version that agents presented since recovery began'),
    recoveredClusters: z
      .number()
      .int()
      .describe('clusters that wait for an approval because this database did not know them'),
    unclaimed: z.number().int().describe('Applications that clusters hold and this hub does not know'),
    confirmedAt: z.iso.datetime().optional(),
    confirmedBy: z.string().optional(),
  })
  .meta({ id: 'Recovery' });
export type RecoveryView = z.infer<typeof RecoveryView>;

export const ConfirmRecovery = z
  .object({ reason: z.string().max(1024).optional() })
  .meta({ id: 'ConfirmRecovery' })
  .prefault({});
export type ConfirmRecovery = z.infer<typeof ConfirmRecovery>;

export const ListUnclaimed = z.object({ ...PageQuery.shape, cluster: z.string().max(253).optional() });
export type ListUnclaimed = z.infer<typeof ListUnclaimed>;

export const UnclaimedView = z
  .object({
    cluster: z.string(),
    namespace: z.string(),
    name: z.string(),
    version: Version,
    seenAt: z.iso.datetime(),
    known: z
      .boolean()
      .describe('an Application of this name is destined for the cluster now, so it can be adopted'),
  })
  .meta({ id: 'Unclaimed' });
export type UnclaimedView = z.infer<typeof UnclaimedView>;
export const UnclaimedPage = z
  .object({ items: z.array(UnclaimedView), next: z.string().optional() })
  .meta({ id: 'UnclaimedPage' });
export type UnclaimedPage = z.infer<typeof UnclaimedPage>;

export const UnclaimedAct = z.enum(['adopt', 'orphan', 'uninstall']);
export type UnclaimedAct = z.infer<typeof UnclaimedAct>;

export const ActOnUnclaimed = z
  .object({ reason: z.string().max(1024).optional() })
  .meta({ id: 'ActOnUnclaimed' })
  .prefault({});
export type ActOnUnclaimed = z.infer<typeof ActOnUnclaimed>;
