import { MusterError } from '@muster/base';
import { z } from 'zod';
import type { ApprovalCheck } from '../policy.ts';
import { issueTexts } from '../policy-manifest.ts';
import { approval, duration, name, windows } from '../gate-document.ts';
import type { Environment, Promotion, PromotedChange } from './promotion.ts';

const WEEK_MS = 7 * 24 * 3_600_000;
const DEFAULT_NAMESPACE = 'argocd';

/** A path inside a repository: relative, and nowhere outside it. */
const path = z
  .string()
  .max(1000)
  .refine(
    (text) =>
      text.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part !== '.git'),
    'is no path inside the repository, such as envs/staging',
  );
const branch = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (text) =>
      /^[\w.][\w./-]*$/.test(text) &&
      !/\.\.|\/\/|\.lock(\/|$)|\/$|\.$|(^|\/)\./.test(text) &&
      text !== 'HEAD',
    'is no name of a branch',
  );
const owner = z
  .string()
  .max(600)
  .regex(/^([a-z0-9][a-z0-9.-]*\/)?[a-z0-9][a-z0-9.-]*$/, 'is neither NAME nor NAMESPACE/NAME');
const field = z.string().min(1).max(500);

const change = z.strictObject({
  mode: z.enum(['commit', 'pull-request']).default('pull-request'),
  copy: z
    .strictObject({
      exclude: z.array(z.string().min(1).max(500)).max(100).default([]),
      keep: z
        .array(z.strictObject({ file: path, fields: z.array(field).min(1).max(100) }))
        .max(100)
        .default([]),
    })
    .optional(),
  merge: z.strictObject({ exact: z.boolean().default(false) }).optional(),
  set: z
    .array(
      z.strictObject({
        file: path,
        field,
        from: z.strictObject({ file: path.optional(), field: field.optional() }).default({}),
      }),
    )
    .min(1)
    .max(100)
    .optional(),
});

const environment = z.strictObject({
  name,
  applicationSet: owner.optional(),
  application: owner.optional(),
  branch: branch.optional(),
  path: path.optional(),
  soak: duration.optional(),
  windows: windows.optional(),
  production: z.boolean().default(false),
  approval: z.union([z.literal('waived'), approval]).optional(),
  pruneApproval: z.union([z.literal('waived'), approval]).optional(),
  change: change.optional(),
});

const document = z.strictObject({
  apiVersion: z.literal('muster.dev/v1alpha1'),
  kind: z.literal('Promotion'),
  metadata: z.looseObject({
    name: z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,100}[a-z0-9])?$/, 'is not a DNS name'),
  }),
  spec: z.strictObject({
    project: z.string().min(1).max(253).default('default'),
    repository: z.string().min(1).max(2000),
    branch: branch.default('main'),
    host: z
      .strictObject({
        kind: z.enum(['github', 'gitlab', 'gitea', 'bitbucketServer']),
        api: z.url({ protocol: /^https?$/ }).optional(),
      })
      .optional(),
    environments: z.array(environment).min(2, 'at least two are needed').max(20),
  }),
});
type Written = z.infer<typeof document>;
type WrittenEnvironment = Written['spec']['environments'][number];

/** Reads a Promotion document. Throws MusterError `invalid` that names every wrong field. */
export function parsePromotion(written: unknown, where = 'Promotion'): Promotion {
  const parsed = document.safeParse(written);
  if (!parsed.success) throw refused(issueTexts(parsed.error), where);
  const { metadata, spec } = parsed.data;
  const found: string[] = [];
  const environments = spec.environments.map((one, i) => read(one, spec, i, found));
  found.push(...twice(environments));
  if (found.length > 0) throw refused(found, where);
  return {
    name: metadata.name,
    project: spec.project,
    repository: spec.repository,
    host: spec.host ? { kind: spec.host.kind, api: spec.host.api ?? null } : null,
    environments,
  };
}

function refused(problems: string[], where: string): MusterError {
  const shown = problems.slice(0, 10);
  const more = problems.length - shown.length;
  return new MusterError('invalid', shown.join('; ') + (more > 0 ? `; and ${more} more` : ''), {
    where,
    hint: 'docs/promotion.md describes every field',
  });
}

function read(
  written: WrittenEnvironment,
  spec: Written['spec'],
  index: number,
  found: string[],
): Environment {
  const at = `spec.environments.${index}`;
  const { applicationSet, application } = written;
  if ((applicationSet === undefined) === (application === undefined))
    found.push(`${at}: give one of applicationSet and application`);
  const [first, second] = (applicationSet ?? application ?? 'x').split('/') as [string, string?];
  const branchOf = (one: WrittenEnvironment) => one.branch ?? spec.branch;
  const before = spec.environments[index - 1];
  return {
    name: written.name,
    owner: {
      kind: applicationSet === undefined ? 'Application' : 'ApplicationSet',
      namespace: second === undefined ? DEFAULT_NAMESPACE : first,
      name: second ?? first,
    },
    branch: branchOf(written),
    path: written.path ?? '',
    change: before
      ? {
          mode: written.change?.mode ?? 'pull-request',
          ...readChange(written, before, branchOf(before) !== branchOf(written), at, found),
        }
      : null,
    soakMs: written.soak ?? 0,
    windows: written.windows ?? [],
    production: written.production,
    ...approvals(written),
  };
}

function readChange(
  written: WrittenEnvironment,
  before: WrittenEnvironment,
  otherBranch: boolean,
  at: string,
  found: string[],
): PromotedChange {
  const { copy, merge, set } = written.change ?? {};
  if ([copy, merge, set].filter((one) => one !== undefined).length > 1)
    found.push(`${at}.change: give one of copy, merge and set`);
  const paths = written.path !== undefined && before.path !== undefined;
  if (set)
    return {
      kind: 'set',
      fields: set.map((one) => ({
        file: one.file,
        field: one.field,
        fromFile: one.from.file ?? one.file,
        fromField: one.from.field ?? one.field,
      })),
    };
  if (merge || (!copy && otherBranch && !(paths && written.path !== before.path))) {
    if (!otherBranch) found.push(`${at}.change.merge: both environments have the same branch`);
    return { kind: 'merge', exact: merge?.exact ?? false };
  }
  if (!paths) found.push(`${at}: copying needs the path of this environment and of the one before`);
  return { kind: 'copy', exclude: copy?.exclude ?? [], keep: copy?.keep ?? [] };
}

const ANYONE: ApprovalCheck = { kind: 'approval', groups: [], count: 1, expiresMs: WEEK_MS };

/** Production is approved by somebody unless that is waived; and once more waived where objects would go. */
function approvals({
  production,
  approval: asked,
  pruneApproval: pruned,
}: WrittenEnvironment): Pick<Environment, 'approval' | 'pruneApproval'> {
  const check = (given: Exclude<typeof asked, 'waived' | undefined>): ApprovalCheck => ({
    kind: 'approval',
    groups: given.groups,
    count: given.count,
    expiresMs: given.expires,
  });
  const usual = production ? ANYONE : null;
  return {
    approval: asked === 'waived' ? null : asked ? check(asked) : usual,
    pruneApproval: pruned === 'waived' ? null : pruned ? check(pruned) : usual,
  };
}

/** The same name or the same place twice: a change would come back to where it began. */
function twice(environments: readonly Environment[]): string[] {
  const seen = new Map<string, string>();
  return environments.flatMap(({ name: own, branch: its, path: below }, i) => {
    const place = `${its} ${below}`;
    const problems = [
      ...(environments.findIndex(({ name: other }) => other === own) < i
        ? [`spec.environments.${i}.name: ${own} is there twice`]
        : []),
      ...(seen.has(place)
        ? [`spec.environments.${i}: ${own} has the branch and path of ${seen.get(place)}`]
        : []),
    ];
    seen.set(place, own);
    return problems;
  });
}

/** Where an environment is. */
export interface Place {
  repository: string;
  branch: string;
  path: string;
}

/** The places that promotions lead through once more, in words; undefined: no change can come back to where it began. */
export function loopOf(promotions: readonly { places: readonly Place[] }[]): string | undefined {
  const next = new Map<string, Set<string>>();
  const textOf = ({ repository, branch: its, path: below }: Place) =>
    `${its}${below ? `:${below}` : ''} of ${repository}`;
  for (const { places } of promotions)
    for (const [i, place] of places.entries()) {
      if (i === 0) continue;
      const from = textOf(places[i - 1]!);
      next.set(from, (next.get(from) ?? new Set()).add(textOf(place)));
    }
  const done = new Set<string>();
  const visit = (place: string, way: readonly string[]): string | undefined => {
    if (way.includes(place)) return [...way.slice(way.indexOf(place)), place].join(' → ');
    if (done.has(place)) return undefined;
    for (const other of next.get(place) ?? []) {
      const loop = visit(other, [...way, place]);
      if (loop) return loop;
    }
    done.add(place);
    return undefined;
  };
  for (const place of next.keys()) {
    const loop = visit(place, []);
    if (loop) return loop;
  }
  return undefined;
}
