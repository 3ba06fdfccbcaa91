import { MusterError, parseDocument } from '@muster/base';
import { z } from 'zod';

/** On an Application, or in the template of an ApplicationSet: what it waits for. */
export const DEPENDS_ON_ANNOTATION = 'muster.dev/depends-on';

/**
 * What is waited for: an Application on the same cluster (`anywhere`: on the one that it is on), all Applications that a set
 * has on the same cluster, or a stage of a set, wherever its targets are. Each has to be healthy at the release that it is
 * to hold.
 */
export type Dependency =
  | { kind: 'application'; namespace: string; name: string; anywhere?: true }
  | { kind: 'set'; namespace: string; name: string }
  | { kind: 'stage'; namespace: string; name: string; stage: string };

const MAX_DEPENDENCIES = 50;
const SEGMENT = '[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?';
const named = z
  .string()
  .regex(new RegExp(`^${SEGMENT}(/${SEGMENT})?$`), 'is neither a name nor namespace/name');
const stageName = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'is no name of a stage');

const setEntry = z.strictObject({ applicationSet: named, stage: stageName.optional() });
const applicationEntry = z.strictObject({ application: named });

const entries = z
  .array(z.union([named, applicationEntry, setEntry]))
  .max(MAX_DEPENDENCIES, `more than ${MAX_DEPENDENCIES} dependencies`);
type Entry = z.infer<typeof entries>[number];

/** `dependsOn` of a policy or of one of its stages. Its names without a namespace are of the namespace of the rollout's own set. */
export const policyDependencies = entries;

/**
 * As a policy has them. Without a namespace: of the set that the policy is applied to. A policy counts for many clusters, so
 * the Applications that it names are waited for where they are.
 */
export function readPolicyDependencies(written: readonly Entry[]): Dependency[] {
  return distinct(
    written.map((entry): Dependency => {
      const one = dependencyOf(entry, '');
      return one.kind === 'application' ? { ...one, anywhere: true } : one;
    }),
  );
}

/** Dependencies of a policy for a set that lives in `namespace`. */
export function inNamespace(dependencies: readonly Dependency[], namespace: string): Dependency[] {
  return dependencies.map((one) => (one.namespace === '' ? { ...one, namespace } : one));
}

/**
 * Reads the annotation: names with commas or spaces between them, or a YAML (JSON) list of names, `application: NAME` and
 * `applicationSet: NAME` with or without `stage`. Names without a namespace are of `namespace`. Throws MusterError `invalid`.
 */
export function parseDependsOn(text: string, namespace: string): Dependency[] {
  const parsed = entries.safeParse(listOf(text));
  if (!parsed.success) throw invalid(parsed.error);
  return distinct(parsed.data.map((entry) => dependencyOf(entry, namespace)));
}

function distinct(all: readonly Dependency[]): Dependency[] {
  const seen = new Set<string>();
  return all.filter((one) => {
    const key = dependencyText(one);
    return !seen.has(key) && seen.add(key);
  });
}

/** What the annotation of an object says; none where it has none. Throws as `parseDependsOn`. */
export function dependenciesOf(
  metadata: { annotations?: Record<string, string> | null | undefined },
  namespace: string,
): Dependency[] {
  const text = metadata.annotations?.[DEPENDS_ON_ANNOTATION];
  return text === undefined || text.trim() === '' ? [] : parseDependsOn(text, namespace);
}

/** As people read it. */
export function dependencyText(dependency: Dependency): string {
  const name = `${dependency.namespace}/${dependency.name}`;
  switch (dependency.kind) {
    case 'application':
      return `Application ${name}`;
    case 'set':
      return `ApplicationSet ${name}`;
    case 'stage':
      return `stage ${dependency.stage} of ApplicationSet ${name}`;
  }
}

function listOf(text: string): unknown {
  const trimmed = text.trim();
  if (!/^[[{-]|\n/.test(trimmed)) return trimmed.split(/[\s,]+/).filter((name) => name !== '');
  try {
    const read = parseDocument(trimmed);
    return Array.isArray(read) ? read : [read];
  } catch (thrown) {
    throw new MusterError('invalid', `is no list: ${MusterError.from(thrown).message}`, {
      where: DEPENDS_ON_ANNOTATION,
      cause: thrown,
    });
  }
}

function dependencyOf(written: Entry, own: string): Dependency {
  const entry = typeof written === 'string' ? { application: written } : written;
  const name = 'application' in entry ? entry.application : entry.applicationSet;
  const [first, second] = name.split('/') as [string, string | undefined];
  const at = second === undefined ? { namespace: own, name: first } : { namespace: first, name: second };
  if ('application' in entry) return { kind: 'application', ...at };
  return entry.stage === undefined ? { kind: 'set', ...at } : { kind: 'stage', ...at, stage: entry.stage };
}

function invalid(error: z.ZodError): MusterError {
  const [issue] = error.issues;
  const entry = issue?.path[0];
  const which = entry === undefined ? '' : `entry ${Number(entry) + 1}: `;
  const message =
    issue?.code === 'invalid_union'
      ? 'is neither a name, nor application: NAME, nor applicationSet: NAME with or without stage'
      : (issue?.message ?? 'cannot be read');
  return new MusterError('invalid', `${which}${message}`, { where: DEPENDS_ON_ANNOTATION });
}
