import { z } from 'zod';

/** A sync window of an AppProject, and whether it is open at the hub's clock. */
export const WindowView = z
  .object({
    kind: z.string(),
    schedule: z.string(),
    timeZone: z.string(),
    /** As written, for example `1h30m`. */
    duration: z.string(),
    manualSync: z.boolean(),
    applications: z.array(z.string()),
    namespaces: z.array(z.string()),
    clusters: z.array(z.string()),
    description: z.string().optional(),
    open: z.boolean(),
    /** Of one that is open. */
    closesAt: z.string().optional(),
    opensAt: z.string().optional(),
    /** Why it has no effect. */
    problem: z.string().optional(),
  })
  .meta({ id: 'SyncWindow' });
export type WindowView = z.infer<typeof WindowView>;

export const ProjectWindows = z.object({ items: z.array(WindowView) }).meta({ id: 'ProjectWindows' });
export type ProjectWindows = z.infer<typeof ProjectWindows>;

const WindowDecision = z.object({
  allowed: z.boolean(),
  reason: z.string().optional(),
  /** When that may change. */
  until: z.string().optional(),
});

/** The windows that hold for an Application, and what they let begin now. */
export const ApplicationWindows = z
  .object({ items: z.array(WindowView), automated: WindowDecision, manual: WindowDecision })
  .meta({ id: 'ApplicationWindows' });
export type ApplicationWindows = z.infer<typeof ApplicationWindows>;
