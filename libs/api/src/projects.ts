import { z } from 'zod';

export const ProjectView = z
  .object({
    name: z.string(),
    /** The AppProject as applied. */
    manifest: z.record(z.string(), z.unknown()),
    applications: z.number(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Project' });
export type ProjectView = z.infer<typeof ProjectView>;

export const ProjectList = z.object({ items: z.array(ProjectView) }).meta({ id: 'ProjectList' });
export type ProjectList = z.infer<typeof ProjectList>;
