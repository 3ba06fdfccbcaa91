import { z } from 'zod';
import { PageQuery } from './paging.ts';
import { PlanObject, PlannedApplication } from './plan.ts';

/** An owner, a release of it, or what it holds: `web`, `web#41`, `web@prod-eu`, `web#41@prod-eu`, each with `namespace/` before it. */
export const ReleaseName = z.string().min(1).max(1200);

export const ReleaseView = z
  .object({
    id: z.string(),
    owner: z.string().describe('namespace/name of the ApplicationSet or the Application'),
    ownerKind: z.enum(['set', 'application']),
    number: z.number().int(),
    cause: z.string(),
    commit: z.string().optional(),
    message: z.string().optional(),
    author: z.string().optional(),
    createdAt: z.iso.datetime(),
    targets: z.number().int().describe('Applications in their clusters'),
    clusters: z.number().int(),
    assigned: z.number().int().describe('targets that are assigned what came with this release'),
    removed: z.number().int().describe('targets that it removes'),
  })
  .meta({ id: 'Release' });
export type ReleaseView = z.infer<typeof ReleaseView>;

export const ReleaseList = z
  .object({ items: z.array(ReleaseView), next: z.string().optional() })
  .meta({ id: 'ReleaseList' });
export type ReleaseList = z.infer<typeof ReleaseList>;

export const ListReleases = PageQuery.extend({
  owner: z.string().min(1).max(600).describe('namespace/name of an ApplicationSet or an Application'),
});
export type ListReleases = z.infer<typeof ListReleases>;

export const ReleaseTarget = z.object({
  namespace: z.string(),
  name: z.string(),
  project: z.string(),
  cluster: z.string(),
  release: z.number().int().optional().describe('that what it holds came with; left out: forgotten'),
  bundle: z.string().optional().describe('digest of its manifests; left out: none'),
  commits: z.array(z.string()).describe('of each source'),
  removed: z.enum(['orphan', 'uninstall']).optional(),
});
export type ReleaseTarget = z.infer<typeof ReleaseTarget>;

export const ReleaseDetail = z
  .object({
    name: z.string(),
    owner: z.string(),
    ownerKind: z.enum(['set', 'application']),
    release: ReleaseView.optional().describe('the one that is named; left out: what is held now'),
    targets: z.array(ReleaseTarget).describe('at most 1000'),
    more: z.number().int(),
    images: z.array(z.string()).describe('of all workloads; at most 200'),
  })
  .meta({ id: 'ReleaseDetail' });
export type ReleaseDetail = z.infer<typeof ReleaseDetail>;

export const GetRelease = z.object({ of: ReleaseName });
export type GetRelease = z.infer<typeof GetRelease>;

export const CompareReleases = z.object({
  a: ReleaseName,
  b: ReleaseName,
  members: z.coerce.number().int().min(0).max(100_000).default(10).describe('targets named for each group'),
  groups: z.coerce.number().int().min(0).max(1000).default(50).describe('groups that are written out'),
  stat: z.stringbool().default(false).describe('counts only: without the text of differences'),
});
export type CompareReleases = z.infer<typeof CompareReleases>;

const side = z.object({
  name: z.string().describe('as it was asked for, with its namespace'),
  label: z.string().describe('such as release 41 (commit 1a2b3c4 on main)'),
  targets: z.number().int(),
  clusters: z.number().int(),
});

export const CommitRange = z.object({
  repository: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
  direction: z
    .enum(['forward', 'back', 'apart', 'unknown'])
    .describe('back: B is older than A; apart: each has commits that the other has not'),
  commits: z.array(
    z.object({
      commit: z.string(),
      subject: z.string(),
      author: z.string(),
      at: z.iso.datetime(),
      on: z.enum(['a', 'b']).describe('the side that has it'),
    }),
  ),
  more: z.boolean().describe('there are more than are listed'),
  error: z.string().optional(),
});
export type CommitRange = z.infer<typeof CommitRange>;

export const ImageChange = z.object({
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  container: z.string(),
  init: z.boolean(),
  before: z.string().optional(),
  after: z.string().optional(),
  targets: z.number().int(),
});
export type ImageChange = z.infer<typeof ImageChange>;

export const ReleaseDiffGroup = z.object({
  change: z.enum(['added', 'changed', 'removed']),
  alike: z.enum(['exactly', 'but for names']),
  targets: z.number().int(),
  clusters: z.number().int(),
  members: z.array(PlannedApplication),
  more: z.number().int(),
  added: z.number().int().describe('lines, for each target'),
  removed: z.number().int(),
  objects: z.array(PlanObject),
  omitted: z.boolean().describe('the differences were too large for the answer'),
});
export type ReleaseDiffGroup = z.infer<typeof ReleaseDiffGroup>;

/** What B has that A has not, and the other way round. */
export const ReleaseDiff = z
  .object({
    a: side,
    b: side,
    same: z.boolean(),
    summary: z.object({
      changed: z.number().int().describe('targets'),
      added: z.number().int(),
      removed: z.number().int(),
      unchanged: z.number().int(),
      clusters: z.number().int().describe('on which something differs'),
      objects: z.object({ added: z.number().int(), changed: z.number().int(), removed: z.number().int() }),
    }),
    commits: z.array(CommitRange),
    images: z.array(ImageChange),
    moreImages: z.number().int(),
    groups: z.array(ReleaseDiffGroup),
    moreGroups: z.number().int(),
    notices: z.array(z.string()),
  })
  .meta({ id: 'ReleaseDiff' });
export type ReleaseDiff = z.infer<typeof ReleaseDiff>;
