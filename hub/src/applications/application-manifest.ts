import type { Application, ApplicationSource } from '@muster/appset';
import { MusterError } from '@muster/base';
import { type IgnoreRule, unsupportedIgnoreFields } from '@muster/kube';
import { z } from 'zod';
import { issuesOf } from '../projects/issues.ts';

/** An Application document that was checked: what is wrong stops it, what has no effect yet is shown. */
export interface CheckedApplication {
  application: Application;
  /** Its one source. */
  source: ApplicationSource;
  /** Fields that are accepted and have no effect yet, in words. */
  notices: string[];
}

const text = z.string().max(100_000);
const strings = z.array(text).max(1000);
const stringMap = z.record(z.string(), text);
const name = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'is not a DNS name');

const helm = z.strictObject({
  valueFiles: strings.optional(),
  parameters: z
    .array(
      z.strictObject({ name: text.optional(), value: text.optional(), forceString: z.boolean().optional() }),
    )
    .max(1000)
    .optional(),
  releaseName: z.string().max(53).optional(),
  values: z.string().max(1_000_000).optional(),
  valuesObject: z.record(z.string(), z.unknown()).nullish(),
  fileParameters: z
    .array(z.strictObject({ name: text.optional(), path: text.optional() }))
    .max(1000)
    .optional(),
  version: text.optional(),
  passCredentials: z.boolean().optional(),
  ignoreMissingValueFiles: z.boolean().optional(),
  skipCrds: z.boolean().optional(),
  skipTests: z.boolean().optional(),
  skipSchemaValidation: z.boolean().optional(),
  namespace: z.string().max(253).optional(),
  kubeVersion: z.string().max(100).optional(),
  apiVersions: strings.optional(),
});

const kustomize = z.strictObject({
  namePrefix: text.optional(),
  nameSuffix: text.optional(),
  images: strings.optional(),
  commonLabels: stringMap.optional(),
  commonAnnotations: stringMap.optional(),
  commonAnnotationsEnvsubst: z.boolean().optional(),
  forceCommonLabels: z.boolean().optional(),
  forceCommonAnnotations: z.boolean().optional(),
  labelWithoutSelector: z.boolean().optional(),
  labelIncludeTemplates: z.boolean().optional(),
  namespace: z.string().max(253).optional(),
  replicas: z
    .array(z.strictObject({ name: text, count: z.union([z.number().int(), z.string()]) }))
    .max(1000)
    .optional(),
  patches: z.array(z.looseObject({})).max(1000).optional(),
  components: strings.optional(),
  ignoreMissingComponents: z.boolean().optional(),
  version: text.optional(),
  kubeVersion: z.string().max(100).optional(),
  apiVersions: strings.optional(),
});

const directory = z.strictObject({
  recurse: z.boolean().optional(),
  include: text.optional(),
  exclude: text.optional(),
  jsonnet: z.looseObject({}).optional(),
});

const source = z.strictObject({
  repoURL: z.string().min(1).max(2000),
  path: z.string().max(4000).optional(),
  targetRevision: z.string().max(500).optional(),
  chart: text.optional(),
  helm: helm.nullish(),
  kustomize: kustomize.nullish(),
  directory: directory.nullish(),
  plugin: z.unknown().optional(),
  ref: text.optional(),
  name: text.optional(),
});

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
      retry: z.looseObject({}).nullish(),
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
  const refused = refusals(found.spec, found.operation);
  if (refused.length > 0) throw new MusterError('unsupported', refused.join('; '), { where });
  const only = found.spec.source ?? found.spec.sources?.[0];
  if (!only) throw new MusterError('invalid', 'spec.source: missing', { where });
  const { server, name: cluster } = found.spec.destination;
  if (server && cluster) {
    throw new MusterError('invalid', 'spec.destination: give server or name, not both', { where });
  }
  if (!server && !cluster)
    throw new MusterError('invalid', 'spec.destination: server or name is missing', { where });
  return {
    application: found as unknown as Application,
    source: only as ApplicationSource,
    notices: noticesOf(found.spec),
  };
}

function refusals(found: z.infer<typeof spec>, operation: unknown): string[] {
  const out: string[] = [];
  const refuse = (present: unknown, field: string, why: string) => {
    if (present !== undefined && present !== null && present !== '') out.push(`${field}: ${why}`);
  };
  refuse(operation, 'operation', 'not supported; sync with `muster app sync`');
  refuse(found.sourceHydrator, 'spec.sourceHydrator', 'not supported yet');
  if (found.source && (found.sources?.length ?? 0) > 0)
    out.push('spec.sources: not together with spec.source');
  if ((found.sources?.length ?? 0) > 1) out.push('spec.sources: more than one source is not supported yet');
  const at = found.source ? 'spec.source' : 'spec.sources[0]';
  const only = found.source ?? found.sources?.[0];
  refuse(
    only?.chart,
    `${at}.chart`,
    'charts from Helm repositories are not supported yet, charts in Git are',
  );
  refuse(only?.ref, `${at}.ref`, 'not supported yet');
  refuse(only?.plugin, `${at}.plugin`, 'config management plugins are not supported');
  if (only?.repoURL.startsWith('oci://')) out.push(`${at}.repoURL: OCI sources are not supported yet`);
  if (Object.keys(only?.directory?.jsonnet ?? {}).length > 0)
    out.push(`${at}.directory.jsonnet: jsonnet is not supported yet`);
  const tools = [only?.helm && 'helm', only?.kustomize && 'kustomize', only?.directory && 'directory'].filter(
    Boolean,
  );
  if (tools.length > 1) out.push(`${at}: ${tools.join(' and ')} exclude each other`);
  return out;
}

/** Sync options that agents obey, by name; `ServerSideApply=true` is how they always apply. */
const SYNC_OPTIONS = new Set([
  'ApplyOutOfSyncOnly',
  'CreateNamespace',
  'Delete',
  'FailOnSharedResource',
  'Prune',
  'PruneLast',
  'PrunePropagationPolicy',
  'RespectIgnoreDifferences',
  'SkipDryRunOnMissingResource',
  'SyncDeadline',
]);

function noticesOf(found: z.infer<typeof spec>): string[] {
  const out: string[] = [];
  const without = (field: string, why = '') => out.push(`${field} has no effect yet${why}`);
  const { syncPolicy, ignoreDifferences } = found;
  if (syncPolicy?.retry) without('spec.syncPolicy.retry', ': the agent retries by its own backoff');
  for (const option of syncPolicy?.syncOptions ?? []) {
    if (option === 'ServerSideApply=true' || SYNC_OPTIONS.has(option.split('=')[0]!)) continue;
    without(`spec.syncPolicy.syncOptions ${option}`);
  }
  for (const field of unsupportedIgnoreFields((ignoreDifferences ?? []) as IgnoreRule[]))
    without(`spec.${field}`);
  if ((found.source ?? found.sources?.[0])?.kustomize?.version) {
    without('spec.source.kustomize.version', ': there is one built-in kustomize');
  }
  return out;
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
