import { z } from 'zod';

export const SettingsView = z
  .object({
    /** The `argocd-cm` as applied. */
    manifest: z.record(z.string(), z.unknown()),
    updatedAt: z.string(),
    updatedBy: z.string(),
  })
  .meta({ id: 'Settings' });
export type SettingsView = z.infer<typeof SettingsView>;
