import { z } from 'zod';

export const KeysView = z
  .object({
    hubId: z.string(),
    caSha256: z.string(),
    keySetVersion: z.string(),
    rotating: z.boolean().describe('the newest keys are distributed and do not sign yet'),
    keys: z.array(z.object({ id: z.string(), use: z.enum(['assignment', 'command']), active: z.boolean() })),
    acknowledged: z.number().int().describe('clusters that acknowledged this version'),
    waitingFor: z.array(z.string()).describe('names of clusters that have not, at most 1000'),
    waiting: z.number().int(),
  })
  .meta({ id: 'Keys' });
export type KeysView = z.infer<typeof KeysView>;

/** `activate`: sign with the newest keys now, whoever has not acknowledged them. Without it: make new ones. */
export const RotateKeys = z
  .object({
    activate: z
      .boolean()
      .default(false)
      .describe('sign with the keys that are distributed, though not all clusters acknowledged them'),
    reason: z.string().max(1024).optional(),
  })
  .meta({ id: 'RotateKeys' })
  .prefault({});
export type RotateKeys = z.infer<typeof RotateKeys>;
