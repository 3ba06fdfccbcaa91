import { type JsonObject, MusterError } from '@muster/base';
import { z } from 'zod';
import { issuesOf } from './issues.ts';

const kind = z.strictObject({ group: z.string().max(253), kind: z.string().min(1).max(253) });

const spec = z.strictObject({
  description: z.string().max(10_000).optional(),
  sourceRepos: z.array(z.string().max(2000)).max(1000).optional(),
  destinations: z
    .array(
      z.strictObject({
        server: z.string().max(1000).optional(),
        name: z.string().max(1000).optional(),
        namespace: z.string().max(1000).optional(),
      }),
    )
    .max(1000)
    .optional(),
  clusterResourceWhitelist: z.array(kind).max(1000).nullish(),
  clusterResourceBlacklist: z.array(kind).max(1000).nullish(),
  namespaceResourceWhitelist: z.array(kind).max(1000).nullish(),
  namespaceResourceBlacklist: z.array(kind).max(1000).nullish(),
});

const project = z.strictObject({
  apiVersion: z.literal('argoproj.io/v1alpha1'),
  kind: z.literal('AppProject'),
  metadata: z.looseObject({ name: z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'is not a DNS name').max(253) }),
  spec,
  status: z.unknown().optional(),
});

/** An AppProject, checked. */
export interface Project {
  name: string;
  spec: z.infer<typeof spec>;
}

/** Fields of AppProject that change what is allowed and are not enforced yet: refused, never ignored. */
const NOT_ENFORCED = [
  'sourceNamespaces',
  'roles',
  'syncWindows',
  'orphanedResources',
  'signatureKeys',
  'permitOnlyProjectScopedClusters',
  'destinationServiceAccounts',
];

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
export function parseProject(document: unknown, where: string): Project {
  const written = (document as { spec?: Record<string, unknown> }).spec;
  const refused = NOT_ENFORCED.filter((field) => !isEmpty(written?.[field]));
  if (refused.length > 0) {
    throw new MusterError('unsupported', `${refused.map((field) => `spec.${field}`).join(', ')}: not enforced yet, so not accepted`, {
      where,
      hint: 'leave the field out until a release of Muster enforces it',
    });
  }
  const parsed = project.safeParse(withoutEmpty(document));
  if (!parsed.success) throw new MusterError('invalid', issuesOf(parsed.error), { where });
  return { name: parsed.data.metadata.name, spec: parsed.data.spec };
}

function withoutEmpty(document: unknown): unknown {
  const object = document as { spec?: Record<string, unknown> };
  if (object.spec === null || typeof object.spec !== 'object') return document;
  const rest = Object.entries(object.spec).filter(([field]) => !NOT_ENFORCED.includes(field));
  return { ...object, spec: Object.fromEntries(rest) };
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return Array.isArray(value) && value.length === 0;
}
