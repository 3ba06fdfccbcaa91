import type { Application } from '@muster/appset';
import { MusterError, canonicalJson } from '@muster/base';
import { ANNOTATION, type IgnoreRule, readRetryPolicy, unsupportedIgnoreFields } from '@muster/kube';
import { z } from 'zod';
import { issuesOf } from '../projects/issues.ts';
import { type PlacedSource, hasSeveralSources, placedSources } from './application-sources.ts';
import {
  noticesOfSource,
  referenceProblems,
  source,
  sourceProblems,
  stringMap,
  strings,
  text,
} from './source-manifest.ts';

/** An Application document that was checked: what is wrong stops it, what has no effect yet is shown. */
export interface CheckedApplication {
  application: Application;
  sources: PlacedSource[];
  /** Fields that are accepted and have no effect yet, in words. */
  notices: string[];
}

const name = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'is not a DNS name');

const spec = z.strictObject({
  project: z.string().min(1).max(253).default('default'),
  source: source.nullish(),
  sources: z.array(source).max(100).nullish(),
  destination: z.strictObject({
    server: z.string().max(1000).optional(),
    name: z.string().max(253).optional(),
    namespace: z.string().max(63).optional(),
  }),
  syncPolicy: z
    .strictObject({
      automated: z
        .strictObject({
          prune: z.boolean().optional(),
          selfHeal: z.boolean().optional(),
          allowEmpty: z.boolean().optional(),
          enabled: z.boolean().nullish(),
        })
        .nullish(),
      syncOptions: strings.nullish(),
      retry: z
        .strictObject({
          limit: z.number().int().optional(),
          backoff: z
            .strictObject({
              duration: z.string().max(100).optional(),
              factor: z.number().int().optional(),
              maxDuration: z.string().max(100).optional(),
            })
            .nullish(),
          // Muster always tries the newest release again.
          refresh: z.boolean().optional(),
        })
        .superRefine((retry, context) => {
          const read = readRetryPolicy(retry);
          if (typeof read === 'string') context.addIssue({ code: 'custom', message: read });
        })
        .nullish(),
      managedNamespaceMetadata: z
        .strictObject({ labels: stringMap.optional(), annotations: stringMap.optional() })
        .nullish(),
    })
    .nullish(),
  ignoreDifferences: z
    .array(
      z.strictObject({
        group: text.optional(),
        kind: text.min(1),
        name: text.optional(),
        namespace: text.optional(),
        jsonPointers: strings.optional(),
        jqPathExpressions: strings.optional(),
        managedFieldsManagers: strings.optional(),
      }),
    )
    .max(1000)
    .nullish(),
  info: z.array(z.strictObject({ name: text, value: text })).nullish(),
  revisionHistoryLimit: z.number().int().nullish(),
  sourceHydrator: z.unknown().optional(),
});

const application = z.strictObject({
  apiVersion: z.literal('argoproj.io/v1alpha1'),
  kind: z.literal('Application'),
  metadata: z.looseObject({
    name,
    namespace: name.optional(),
    labels: stringMap.nullish(),
    annotations: stringMap.nullish(),
    finalizers: strings.nullish(),
  }),
  spec,
  operation: z.unknown().optional(),
  status: z.unknown().optional(),
});

/**
 * Checks an Application document. Throws MusterError `invalid` for what is not one, `unsupported` for fields that
 * would change what is deployed and are not supported yet; both name the fields.
 */
export function checkApplication(document: unknown, where: string): CheckedApplication {
  const parsed = application.safeParse(document);
  if (!parsed.success) throw new MusterError('invalid', issuesOf(parsed.error), { where });
  const found = parsed.data;
  const checked = found as unknown as Application;
  const sources = placedSources(checked);
  const refused = [...refusals(found.spec, found.operation), ...sources.flatMap(sourceProblems)];
  if (refused.length > 0) throw new MusterError('unsupported', refused.join('; '), { where });
  if (sources.length === 0) throw new MusterError('invalid', 'spec.source: missing', { where });
  const wrong = hasSeveralSources(checked.spec) ? referenceProblems(sources) : [];
  if (wrong.length > 0) throw new MusterError('invalid', wrong.join('; '), { where });
  const { server, name: cluster } = found.spec.destination;
  if (server && cluster) {
    throw new MusterError('invalid', 'spec.destination: give server or name, not both', { where });
  }
  if (!server && !cluster)
    throw new MusterError('invalid', 'spec.destination: server or name is missing', { where });
  return {
    application: checked,
    sources,
    notices: [...noticesOf(found.spec), ...noticesOfSources(checked, sources)],
  };
}

function refusals(found: z.infer<typeof spec>, operation: unknown): string[] {
  const out: string[] = [];
  const refuse = (present: unknown, field: string, why: string) => {
    if (present !== undefined && present !== null && present !== '') out.push(`${field}: ${why}`);
  };
  refuse(operation, 'operation', 'not supported; sync with `muster app sync`');
  refuse(found.sourceHydrator, 'spec.sourceHydrator', 'not supported yet');
  return out;
}

/** Sync options that agents obey, by name. */
const SYNC_OPTIONS = new Set([
  'ApplyOutOfSyncOnly',
  'CreateNamespace',
  'Delete',
  'FailOnForeignResource',
  'FailOnSharedResource',
  'Force',
  'Prune',
  'PruneLast',
  'PrunePropagationPolicy',
  'Replace',
  'RespectIgnoreDifferences',
  'SkipDryRunOnMissingResource',
  'SyncDeadline',
  'Validate',
]);

function noticesOf(found: z.infer<typeof spec>): string[] {
  const out: string[] = [];
  const without = (field: string, why = '') => out.push(`${field} has no effect yet${why}`);
  const { syncPolicy, ignoreDifferences } = found;
  for (const option of syncPolicy?.syncOptions ?? []) {
    const [name, value] = option.split('=') as [string, string | undefined];
    // Always, and with nothing to be migrated.
    if (option === 'ServerSideApply=true' || name === 'ClientSideApplyMigration') continue;
    if (name === 'ServerSideApply' && value === 'false')
      without(`spec.syncPolicy.syncOptions ${option}`, ': objects are always applied server-side');
    else if (!SYNC_OPTIONS.has(name)) without(`spec.syncPolicy.syncOptions ${option}`);
  }
  for (const field of unsupportedIgnoreFields((ignoreDifferences ?? []) as IgnoreRule[]))
    without(`spec.${field}`);
  return out;
}

function noticesOfSources({ spec: found }: Application, sources: readonly PlacedSource[]): string[] {
  const several = hasSeveralSources(found);
  return [
    ...(several && found.source ? ['spec.source has no effect beside spec.sources'] : []),
    ...(!several && found.source?.ref ? ['spec.source.ref has no effect outside spec.sources'] : []),
    ...sources.flatMap(noticesOfSource),
  ];
}

const FINALIZER = 'resources-finalizer.argocd.argoproj.io';

/** What happens to the objects when the Application goes: uninstall only with the resources finalizer, as in Argo CD. */
export function removalOf(found: Application): 'orphan' | 'uninstall' {
  const finalizers = found.metadata.finalizers ?? [];
  return finalizers.some((entry) => entry === FINALIZER || entry.startsWith(`${FINALIZER}/`))
    ? 'uninstall'
    : 'orphan';
}

/** The document as it is kept: no status, its namespace filled in, no fields that servers add. */
export function storedManifest(found: Application, namespace: string): Application {
  const { status: _status, operation: _operation, ...rest } = found;
  const {
    managedFields: _m,
    resourceVersion: _r,
    uid: _u,
    creationTimestamp: _c,
    generation: _g,
    ...metadata
  } = rest.metadata;
  return { ...rest, metadata: { ...metadata, name: found.metadata.name, namespace } };
}

/** Whether a manifest differs from what is stored only in a newer `argocd.argoproj.io/deletion-approved`. */
export function approvesDeletion(stored: Application, manifest: Application): boolean {
  const at = approvalTime(manifest);
  if (Number.isNaN(at) || at <= (approvalTime(stored) || 0)) return false;
  return canonicalJson(withoutApproval(stored)) === canonicalJson(withoutApproval(manifest));
}

function approvalTime({ metadata }: Application): number {
  return Date.parse(metadata.annotations?.[ANNOTATION.deletionApproved] ?? '');
}

function withoutApproval({ metadata, ...rest }: Application): unknown {
  const { [ANNOTATION.deletionApproved]: _approval, ...annotations } = metadata.annotations ?? {};
  return { ...rest, metadata: { ...metadata, annotations } };
}
