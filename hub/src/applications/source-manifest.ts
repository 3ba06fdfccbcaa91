import type { ApplicationSource } from '@muster/appset';
import { z } from 'zod';
import { type PlacedSource, isRendered } from './application-sources.ts';

export const text = z.string().max(100_000);
export const strings = z.array(text).max(1000);
export const stringMap = z.record(z.string(), text);

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

/** The shape of one source. */
export const source = z.strictObject({
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

/** What one source holds that is not supported, in words that begin with the field. */
export function sourceProblems({ source: found, where }: PlacedSource): string[] {
  const out: string[] = [];
  const refuse = (present: unknown, field: string, why: string) => {
    if (present !== undefined && present !== null && present !== '') out.push(`${where}.${field}: ${why}`);
  };
  if (/^[a-z+]+:\/\/[^/@]*:[^/@]+@/i.test(found.repoURL))
    out.push(
      `${where}.repoURL holds a password: leave it out, and give it as credentials of the repository (\`muster repo add\`)`,
    );
  refuse(found.plugin, 'plugin', 'config management plugins are not supported');
  out.push(...chartProblems(found, where));
  if (Object.keys(found.directory?.jsonnet ?? {}).length > 0)
    out.push(`${where}.directory.jsonnet: jsonnet is not supported yet`);
  const tools = [found.helm && 'helm', found.kustomize && 'kustomize', found.directory && 'directory'];
  const given = tools.filter(Boolean);
  if (given.length > 1) out.push(`${where}: ${given.join(' and ')} exclude each other`);
  return out;
}

/** What keeps the chart of a source from being found, in words that begin with the field. */
function chartProblems(found: ApplicationSource, at: string): string[] {
  if (!found.chart) return [];
  const out: string[] = [];
  if (!CHART_NAME.test(found.chart))
    out.push(`${at}.chart: ${JSON.stringify(found.chart)} is no name of a chart`);
  if (found.kustomize) out.push(`${at}.kustomize: not together with chart`);
  if (found.directory) out.push(`${at}.directory: not together with chart`);
  if (/^(ssh|git|file):|^[^/]*@|^\//.test(found.repoURL))
    out.push(
      `${at}.repoURL: charts come from https, http and oci repositories; for a chart in Git give path`,
    );
  return out;
}

const CHART_NAME = /^[a-zA-Z0-9][\w.-]*(\/[a-zA-Z0-9][\w.-]*)*$/;

const REF = /^[a-zA-Z0-9_-]+$/;

/** What is wrong between the entries of `spec.sources`, in words that begin with the field. */
export function referenceProblems(sources: readonly PlacedSource[]): string[] {
  const out: string[] = [];
  const named = new Map<string, PlacedSource>();
  for (const placed of sources) {
    const { source: found, where } = placed;
    if (!found.path && !found.chart && !found.ref) out.push(`${where}: path, chart or ref is missing`);
    if (!found.ref) continue;
    if (!REF.test(found.ref))
      out.push(`${where}.ref: ${JSON.stringify(found.ref)} may hold letters, digits, _ and - only`);
    const other = named.get(found.ref);
    if (other) out.push(`${where}.ref: ${found.ref} is the ref of ${other.where} already`);
    else named.set(found.ref, placed);
  }
  for (const placed of sources)
    for (const { field, file } of referencesOf(placed.source)) {
      const problem = problemOfReference(refOf(file), named);
      if (problem) out.push(`${placed.where}.${field}: ${problem}`);
    }
  if (out.length === 0 && !sources.some(({ source: found }) => isRendered(found)))
    out.push('spec.sources: none of them has a path or a chart, so there is nothing to apply');
  return out;
}

function problemOfReference(ref: string, named: ReadonlyMap<string, PlacedSource>): string | undefined {
  const target = named.get(ref);
  if (target?.source.chart)
    return `$${ref} is ${target.where}, which is a chart: only Git repositories can be referred to`;
  if (target) return undefined;
  const known = [...named.keys()].map((name) => `$${name}`).join(', ');
  return `$${ref} is not the ref of a source (${known === '' ? 'no source has one' : `there is ${known}`})`;
}

/** The files of a source's Helm settings that begin with `$`: they are in another source. */
export function referencesOf({ helm: found }: ApplicationSource): { field: string; file: string }[] {
  const files = [
    ...(found?.valueFiles ?? []).map((file, i) => ({ field: `helm.valueFiles[${i}]`, file })),
    ...(found?.fileParameters ?? []).map(({ path: file = '' }, i) => ({
      field: `helm.fileParameters[${i}].path`,
      file,
    })),
  ];
  return files.filter(({ file }) => file.startsWith('$'));
}

/** `values` of `$values/a/b.yaml`. */
export function refOf(file: string): string {
  return file.slice(1).split('/', 1)[0]!;
}

/** Fields of a source that are accepted and have no effect, in words. */
export function noticesOfSource({ source: found, where }: PlacedSource): string[] {
  return found.kustomize?.['version']
    ? [`${where}.kustomize.version has no effect yet: there is one built-in kustomize`]
    : [];
}
