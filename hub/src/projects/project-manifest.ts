import { type JsonObject, MusterError } from '@muster/base';
import { type Project, projectProblems, unsupportedProjectFields } from '@muster/kube';
import { z } from 'zod';
import { issuesOf } from './issues.ts';

const type = z.strictObject({ group: z.string().max(253), kind: z.string().min(1).max(253) });
const pattern = z.string().max(1000);

const document = z.strictObject({
  apiVersion: z.literal('argoproj.io/v1alpha1'),
  kind: z.literal('AppProject'),
  metadata: z.looseObject({
    name: z
      .string()
      .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'is not a DNS name')
      .max(253),
  }),
  spec: z.looseObject({
    description: z.string().max(10_000).optional(),
    sourceRepos: z.array(z.string().max(1000)).max(1000).optional(),
    destinations: z
      .array(
        z.strictObject({
          server: pattern.optional(),
          name: pattern.optional(),
          namespace: pattern.optional(),
        }),
      )
      .max(1000)
      .optional(),
    clusterResourceWhitelist: z.array(type).max(1000).nullish(),
    clusterResourceBlacklist: z.array(type).max(1000).nullish(),
    namespaceResourceWhitelist: z.array(type).max(1000).nullish(),
    namespaceResourceBlacklist: z.array(type).max(1000).nullish(),
    destinationServiceAccounts: z
      .array(
        z.strictObject({
          server: pattern.optional(),
          name: pattern.optional(),
          namespace: pattern.optional(),
          defaultServiceAccount: pattern.optional(),
        }),
      )
      .max(1000)
      .nullish(),
    syncWindows: z
      .array(
        z.strictObject({
          kind: pattern.optional(),
          schedule: pattern.optional(),
          duration: pattern.optional(),
          applications: z.array(pattern).max(1000).nullish(),
          namespaces: z.array(pattern).max(1000).nullish(),
          clusters: z.array(pattern).max(1000).nullish(),
          manualSync: z.boolean().optional(),
          timeZone: pattern.optional(),
          andOperator: z.boolean().optional(),
          useAndOperator: z.boolean().optional(),
          // A sync that has begun always goes on.
          syncOverrun: z.boolean().optional(),
          description: z.string().max(10_000).optional(),
        }),
      )
      .max(200)
      .nullish(),
  }),
  status: z.unknown().optional(),
});

/** Everything is allowed: the project `default`, as made at the first start. */
export const DEFAULT_PROJECT: JsonObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'default' },
  spec: {
    sourceRepos: ['*'],
    destinations: [{ server: '*', namespace: '*' }],
    clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  },
};

/** Checks an AppProject document. Throws MusterError `unsupported` or `invalid` that names the fields. */
export function parseProject(written: unknown, where: string): Project {
  const parsed = document.safeParse(written);
  if (!parsed.success) throw new MusterError('invalid', issuesOf(parsed.error), { where });
  const project: Project = {
    name: parsed.data.metadata.name,
    spec: withoutNulls(parsed.data.spec) as Project['spec'],
  };
  const unsupported = unsupportedProjectFields(project);
  if (unsupported.length > 0) {
    throw new MusterError('unsupported', `${unsupported.join(', ')}: not enforced yet, so not accepted`, {
      where,
      hint: 'leave the field out until a release of Muster enforces it',
    });
  }
  const problems = projectProblems(project);
  if (problems.length > 0) throw new MusterError('invalid', problems.join('; '), { where });
  return project;
}

/** A stored AppProject, which was checked when it was applied. */
export function storedProject(manifest: Record<string, unknown>): Project {
  const { metadata, spec } = manifest as { metadata: { name: string }; spec?: Project['spec'] };
  return { name: metadata.name, spec: withoutNulls(spec ?? {}) as Project['spec'] };
}

function withoutNulls(spec: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));
}
