import { canonicalJson, type Json, type JsonObject } from '@muster/base';
import type { Application, ApplicationSetSpec } from '../types.ts';

type Ignored = NonNullable<ApplicationSetSpec['ignoreApplicationDifferences']>;

/** What the Applications of a set keep of themselves when the set changes them. */
export interface KeepRules {
  annotations: string[];
  labels: string[];
  ignored: Ignored;
}

/** Annotations that controllers write on Applications; the reference never takes them away. */
const KEPT_ANNOTATIONS = ['notified.notifications.argoproj.io', 'argocd.argoproj.io/refresh'];
const POST_DELETE_FINALIZER = 'post-delete-finalizer.argocd.argoproj.io';

/** `spec.preservedFields` and `spec.ignoreApplicationDifferences`, in the terms of `keepFields`. */
export function keepRules(spec: ApplicationSetSpec): KeepRules {
  const { preservedFields, ignoreApplicationDifferences } = spec;
  return {
    annotations: [...KEPT_ANNOTATIONS, ...(preservedFields?.annotations ?? [])],
    labels: preservedFields?.labels ?? [],
    ignored: ignoreApplicationDifferences ?? [],
  };
}

/**
 * A generated Application with what the existing one keeps: preserved annotations and labels, finalizers of
 * post-delete hooks, and fields whose differences are ignored. The generated one itself where there is nothing to keep.
 */
export function keepFields(existing: Application, generated: Application, rules: KeepRules): Application {
  let metadata = generated.metadata;
  const annotations = kept(existing.metadata.annotations, metadata.annotations, rules.annotations);
  if (annotations) metadata = { ...metadata, annotations };
  const labels = kept(existing.metadata.labels, metadata.labels, rules.labels);
  if (labels) metadata = { ...metadata, labels };
  const finalizers = (existing.metadata.finalizers ?? []).filter(
    (one) => one.startsWith(POST_DELETE_FINALIZER) && !metadata.finalizers?.includes(one),
  );
  if (finalizers.length > 0)
    metadata = { ...metadata, finalizers: [...(metadata.finalizers ?? []), ...finalizers] };
  const next = metadata === generated.metadata ? generated : { ...generated, metadata };
  const paths = rules.ignored
    .filter(({ name }) => !name || name === existing.metadata.name)
    .flatMap(({ jsonPointers = [], jqPathExpressions = [] }) => [
      ...jsonPointers.map(pointerKeys),
      ...jqPathExpressions.map(jqKeys),
    ])
    .filter((keys) => keys !== undefined);
  return paths.length === 0 ? next : ignoreDifferences(existing, next, paths);
}

/** Fields of `ignoreApplicationDifferences` that cannot be obeyed, by name. */
export function unsupportedIgnores(spec: ApplicationSetSpec): string[] {
  return (spec.ignoreApplicationDifferences ?? []).flatMap(
    ({ jsonPointers = [], jqPathExpressions = [] }, i) => {
      const at = `spec.ignoreApplicationDifferences[${i}]`;
      return [
        ...jsonPointers.flatMap((text, j) =>
          pointerKeys(text) ? [] : [`${at}.jsonPointers[${j}] "${text}"`],
        ),
        ...jqPathExpressions.flatMap((text, j) =>
          jqKeys(text) ? [] : [`${at}.jqPathExpressions[${j}] "${text}"`],
        ),
      ];
    },
  );
}

function kept(
  from: Record<string, string> | undefined,
  to: Record<string, string> | undefined,
  keys: readonly string[],
): Record<string, string> | undefined {
  const found = keys.filter((key) => from && Object.hasOwn(from, key) && from[key] !== to?.[key]);
  if (found.length === 0) return undefined;
  return { ...to, ...Object.fromEntries(found.map((key) => [key, from![key]!])) };
}

/**
 * As the reference does it: the merge patch from the existing to the generated one, both without the ignored fields,
 * applied to the existing one. So a list that differs elsewhere is replaced whole, ignored fields in it included.
 */
function ignoreDifferences(existing: Application, generated: Application, paths: string[][]): Application {
  const without = (value: Application): Json =>
    paths.reduce((copy: Json, keys) => removeAt(copy, keys), value as unknown as Json);
  const patch = mergePatch(without(existing), without(generated));
  return applyPatch(existing as unknown as Json, patch) as unknown as Application;
}

const isMap = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function removeAt(value: Json, [key, ...rest]: string[]): Json {
  if (key === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const at = /^\d+$/.test(key) ? Number(key) : -1;
    if (at < 0 || at >= value.length) return value;
    return rest.length === 0 ? value.toSpliced(at, 1) : value.with(at, removeAt(value[at]!, rest));
  }
  if (!Object.hasOwn(value, key)) return value;
  const { [key]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...value, [key]: removeAt(inner!, rest) };
}

/** RFC 7396 between two maps; undefined for no difference. */
function mergePatch(from: Json, to: Json): Json | undefined {
  if (!isMap(from) || !isMap(to)) return canonicalJson(from) === canonicalJson(to) ? undefined : to;
  const patch: JsonObject = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null;
  for (const key of Object.keys(to)) {
    const change = Object.hasOwn(from, key) ? mergePatch(from[key]!, to[key]!) : to[key];
    if (change !== undefined) patch[key] = change;
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function applyPatch(value: Json | undefined, patch: Json | undefined): Json {
  if (patch === undefined) return value!;
  if (!isMap(patch)) return patch;
  const out: JsonObject = isMap(value) ? { ...value } : {};
  for (const key of Object.keys(patch)) {
    if (patch[key] === null) delete out[key];
    else out[key] = applyPatch(out[key], patch[key]);
  }
  return out;
}

/** The keys of an RFC 6901 pointer; undefined for text that is none, or that names the whole. */
function pointerKeys(pointer: string): string[] | undefined {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The keys of a jq path that names one field (`.a.b["c"][0]`); undefined for every other program. */
function jqKeys(program: string): string[] | undefined {
  const keys: string[] = [];
  const step = /\s*(?:\.?\[\s*(?:"([^"\\]*)"|(\d+))\s*\]|\.([A-Za-z_]\w*)|\."([^"\\]*)")\s*/y;
  if (!program.trimStart().startsWith('.')) return undefined;
  while (step.lastIndex < program.length) {
    const found = step.exec(program);
    if (!found) return undefined;
    keys.push((found[1] ?? found[2] ?? found[3] ?? found[4])!);
  }
  return keys.length > 0 ? keys : undefined;
}
