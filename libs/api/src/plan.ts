import { z } from 'zod';
import { ClusterName, LabelMap } from './clusters.ts';
import type { Problem } from './errors.ts';

const most = (what: string, max: number, usual: number) =>
  z.number().int().min(0).max(max).default(usual).describe(what);

/** Supposed changes, all at once; at least one. */
export const PlanRequest = z
  .strictObject({
    documents: z
      .array(z.record(z.string(), z.unknown()))
      .max(2000)
      .default([])
      .describe('ApplicationSets, Applications and AppProjects as they would be applied'),
    revisions: z
      .array(
        z.strictObject({
          repo: z.string().min(1).max(2000).describe('URL of a repository'),
          revision: z
            .string()
            .min(1)
            .max(500)
            .describe('branch, tag, commit, or a ref such as refs/pull/7/head'),
          base: z
            .string()
            .min(1)
            .max(500)
            .optional()
            .describe('the followed revision that it stands for; left out: the default branch'),
        }),
      )
      .max(20)
      .default([]),
    labels: z
      .array(
        z.strictObject({
          cluster: ClusterName,
          set: LabelMap.default({}),
          remove: z.array(z.string().min(1).max(317)).max(100).default([]),
        }),
      )
      .max(1000)
      .default([]),
    members: most('Applications named for each group, removal and error', 100_000, 10),
    groups: most('groups whose changes are written out', 10_000, 200),
  })
  .meta({ id: 'PlanRequest' });
export type PlanRequest = z.infer<typeof PlanRequest>;
/** As it is written: defaults may be left out. */
export type PlanInput = z.input<typeof PlanRequest>;

export const PlannedApplication = z
  .object({
    namespace: z.string(),
    name: z.string(),
    project: z.string(),
    set: z.string().optional().describe('namespace/name of its ApplicationSet'),
    cluster: z.string().optional(),
  })
  .meta({ id: 'PlannedApplication' });
export type PlannedApplication = z.infer<typeof PlannedApplication>;

const Some = z.object({
  applications: z.number().int(),
  clusters: z.number().int(),
  members: z.array(PlannedApplication),
  more: z.number().int().describe('Applications that are not among the members'),
});

export const PlanObject = z
  .object({
    action: z.enum(['added', 'changed', 'removed']),
    specification: z.boolean().describe('the Application itself, not an object that it renders'),
    apiVersion: z.string(),
    kind: z.string(),
    namespace: z.string(),
    name: z.string(),
    added: z.number().int(),
    removed: z.number().int(),
    text: z.string().describe('unified diff of YAML; hunks are apart by a line @@; secrets masked'),
    moreLines: z.number().int().describe('lines that were cut from the text'),
  })
  .meta({ id: 'PlanObject' });
export type PlanObject = z.infer<typeof PlanObject>;

export const PlanGroup = Some.extend({
  change: z.enum(['added', 'changed']),
  alike: z
    .enum(['exactly', 'but for names'])
    .describe('but for names: shown as for the first member, the others differ in their own names only'),
  added: z.number().int().describe('lines, for each Application'),
  removed: z.number().int(),
  objects: z.array(PlanObject),
  omitted: z.boolean().describe('the changes were too large for the answer'),
}).meta({ id: 'PlanGroup' });
export type PlanGroup = z.infer<typeof PlanGroup>;

export const PlanRemoval = Some.extend({
  set: z.string().optional(),
  action: z.enum(['orphan', 'uninstall']).describe('orphan: the objects stay on the cluster'),
  held: z.string().optional().describe('why it would wait for an approval'),
  graceSeconds: z.number().int().describe('shown as leaving for so long, then removed'),
}).meta({ id: 'PlanRemoval' });
export type PlanRemoval = z.infer<typeof PlanRemoval>;

export const PlanError = Some.extend({
  object: z.string().describe('such as applicationset/argocd/guestbook; of Applications: the first'),
  type: z.string().describe('such as RenderError'),
  message: z.string(),
  severity: z.enum(['error', 'warning']).describe('error: what there is stays as it is'),
  already: z.boolean().describe('it is so now'),
}).meta({ id: 'PlanError' });
export type PlanError = z.infer<typeof PlanError>;

export const PlanResult = z
  .object({
    summary: z.object({
      added: z.number().int(),
      changed: z.number().int(),
      removed: z.number().int(),
      held: z.number().int().describe('of the removed: those that would wait for an approval'),
      unchanged: z.number().int().describe('Applications that were looked at and stay as they are'),
      clusters: z.number().int().describe('clusters on which something is added, changed or removed'),
      errors: z.number().int().describe('new ones, that are not there already'),
      sets: z.number().int().describe('ApplicationSets that were expanded'),
      renders: z.number().int().describe('renders made, beyond those known already'),
    }),
    groups: z.array(PlanGroup),
    moreGroups: z.number().int(),
    removals: z.array(PlanRemoval),
    errors: z.array(PlanError),
    moreErrors: z.number().int(),
    notices: z.array(z.string()),
  })
  .meta({ id: 'PlanResult' });
export type PlanResult = z.infer<typeof PlanResult>;

/** A line of a plan's stream (`Accept: application/x-ndjson`): how far it is in words; the last one is how it ended. */
export type PlanLine = { progress: string } | { result: PlanResult } | { problem: Problem };
