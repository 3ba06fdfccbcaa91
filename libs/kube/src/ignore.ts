import { MusterError, parseDocument } from '@muster/base';
import { ANNOTATION } from './annotations.ts';
import { type FieldPath, type PathStep, keyedPath, removeAt, valueAt, withoutPaths } from './field-path.ts';
import { globMatches } from './glob.ts';
import { managedFieldsOf, pathsOfFields } from './managed-fields.ts';
import { annotationOf, isRecord, keyOf, type KubeObject } from './object.ts';
import { redact } from './redact.ts';

/** One entry of an Application's `spec.ignoreDifferences`. */
export interface IgnoreRule {
  /** Glob; absent or empty: the core group only. */
  group?: string;
  /** Glob. */
  kind: string;
  /** Glob; absent or empty: any. */
  name?: string;
  /** Glob; absent or empty: any. */
  namespace?: string;
  /** RFC 6901, no wildcards. */
  jsonPointers?: string[];
  /** jq programs that name fields: what `path(…)` takes. */
  jqPathExpressions?: string[];
  /** Field managers whose fields count for nothing. */
  managedFieldsManagers?: string[];
}

/**
 * Fields that another controller adds to a map of which server-side apply knows one owner only: an apply without them would
 * take them out. They always stay as the cluster has them. Argo Rollouts points a Service at the Pods of one version.
 */
export const KEPT_AS_LIVE: readonly IgnoreRule[] = [
  { group: '', kind: 'Service', jsonPointers: ['/spec/selector/rollouts-pod-template-hash'] },
];

/** Runs jq programs over objects, bounded in time and memory. */
export interface JqPaths {
  /** The paths that a program names in an object; MusterError `invalid` for a program that fails, `limit` for one that takes too long. */
  paths(expression: string, object: unknown, signal?: AbortSignal): Promise<(string | number)[][]>;
}

/** What the rules ignore in one object, and what of them could not be obeyed. */
export interface Ignored {
  paths: PathStep[][];
  problems: string[];
}

/** Whether a rule is meant for an object. */
export function ruleMatches(rule: IgnoreRule, object: KubeObject): boolean {
  const { group, kind, name, namespace } = keyOf(object);
  return (
    globMatches(rule.group ?? '', group) &&
    globMatches(rule.kind, kind) &&
    (!rule.name || globMatches(rule.name, name)) &&
    (!rule.namespace || globMatches(rule.namespace, namespace))
  );
}

/** The paths of the fields in an object that stay as the cluster has them. */
export function keptPaths(object: KubeObject): PathStep[][] {
  return KEPT_AS_LIVE.filter((rule) => ruleMatches(rule, object)).flatMap(({ jsonPointers = [] }) =>
    jsonPointers.map((pointer) => keyedPath(object, parsePointer(pointer)!)),
  );
}

type IgnoredFields = Pick<IgnoreRule, 'jsonPointers' | 'jqPathExpressions' | 'managedFieldsManagers'>;

/** The rules that apply to an object: those that match it, then those that its own annotations write. */
export function rulesFor(rules: readonly IgnoreRule[], object: KubeObject): IgnoredFields[] {
  const matching: IgnoredFields[] = rules.filter((rule) => ruleMatches(rule, object));
  const own = annotatedRule(object);
  return own ? [...matching, own] : matching;
}

/** Whether any of the rules, or an annotation, may ignore something in an object. */
export function hasIgnored(rules: readonly IgnoreRule[], object: KubeObject): boolean {
  return rulesFor(rules, object).length > 0;
}

/**
 * The fields that rules ignore in `object`. Managers are looked up in the managed fields of `live`, which is the same
 * object as the cluster has it. Throws MusterError `limit` for a program that takes too long or too much memory.
 */
export async function ignoredIn(
  object: KubeObject,
  rules: readonly IgnoreRule[],
  around: { live?: KubeObject; jq?: JqPaths; signal?: AbortSignal },
): Promise<Ignored> {
  const found: Ignored = { paths: [], problems: [] };
  for (const rule of rulesFor(rules, object)) {
    for (const pointer of rule.jsonPointers ?? []) {
      const path = parsePointer(pointer);
      if (path) found.paths.push(keyedPath(object, path));
      else found.problems.push(`"${pointer}" is no JSON pointer`);
    }
    found.paths.push(...managedPaths(around.live ?? object, rule.managedFieldsManagers ?? []));
    for (const expression of rule.jqPathExpressions ?? []) {
      try {
        if (!around.jq) throw new MusterError('unsupported', 'jq programs are not run here');
        // Of a Secret a program sees the keys: what jq says of an error quotes values.
        const paths = await around.jq.paths(expression, redact(object), around.signal);
        found.paths.push(...paths.map((path) => keyedPath(object, path)));
      } catch (thrown) {
        around.signal?.throwIfAborted();
        const error = MusterError.from(thrown);
        // On a busy machine that may pass: what cannot be told must not be put back.
        if (error.code === 'limit') throw error;
        found.problems.push(`jqPathExpressions "${expression}": ${error.message}`);
      }
    }
  }
  return found;
}

function managedPaths(live: KubeObject, managers: readonly string[]): PathStep[][] {
  if (managers.length === 0) return [];
  const trusted = new Set(managers);
  return managedFieldsOf(live).flatMap(({ manager, subresource, fieldsV1 }) =>
    manager && trusted.has(manager) && subresource !== 'status' && fieldsV1 ? pathsOfFields(fieldsV1) : [],
  );
}

/** A pair of objects without what the rules ignore in either; problems of both, once each. */
export async function withoutIgnored(
  should: KubeObject,
  is: KubeObject,
  rules: readonly IgnoreRule[],
  around: { live?: KubeObject; jq?: JqPaths; signal?: AbortSignal } = {},
): Promise<{ should: KubeObject; is: KubeObject; problems: string[] }> {
  if (!hasIgnored(rules, should) && !hasIgnored(rules, is)) return { should, is, problems: [] };
  const live = around.live ?? is;
  const [a, b] = [
    await ignoredIn(should, rules, { ...around, live }),
    await ignoredIn(is, rules, { ...around, live }),
  ];
  return {
    should: dropEmptied(should, a.paths),
    is: dropEmptied(is, b.paths),
    problems: [...new Set([...a.problems, ...b.problems])],
  };
}

/** The object without these fields, and without maps that are empty because of that: the other side may lack the map. */
function dropEmptied(object: KubeObject, paths: readonly FieldPath[]): KubeObject {
  let rest = withoutPaths(object, paths);
  for (const path of paths) {
    for (let length = path.length - 1; length > 0; length--) {
      const parent = path.slice(0, length);
      const value = valueAt(rest, parent);
      if (!isRecord(value) || Object.keys(value).length > 0) break;
      // An element of a list keeps its place.
      if (Array.isArray(valueAt(rest, parent.slice(0, -1)))) break;
      const before = valueAt(object, parent);
      if (isRecord(before) && Object.keys(before).length === 0) break;
      rest = removeAt(rest, parent) as KubeObject;
    }
  }
  return rest;
}

/** The rule that an object's annotations write for itself; texts that are none are left out. */
function annotatedRule(object: KubeObject): IgnoredFields | undefined {
  const listed = (name: string) =>
    (annotationOf(object, name) ?? '')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  const text = annotationOf(object, ANNOTATION.ignoreDifferences);
  const written: Record<string, unknown> = text ? readRule(text) : {};
  const texts = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
  const rule = {
    jsonPointers: [...texts(written['jsonPointers']), ...listed(ANNOTATION.ignoreJsonPointers)],
    jqPathExpressions: texts(written['jqPathExpressions']),
    managedFieldsManagers: [
      ...texts(written['managedFieldsManagers']),
      ...listed(ANNOTATION.ignoreFieldManagers),
    ],
  };
  return Object.values(rule).some((each) => each.length > 0) ? rule : undefined;
}

const MAX_ANNOTATION = 64 * 1024;

function readRule(text: string): Record<string, unknown> {
  if (text.length > MAX_ANNOTATION) return {};
  try {
    const value = parseDocument(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** Texts of the rules that are no JSON pointers, by name: `ignoreDifferences[1].jsonPointers[0] "spec"`. */
export function unsupportedIgnoreFields(rules: readonly IgnoreRule[]): string[] {
  return rules.flatMap((rule, index) =>
    (rule.jsonPointers ?? []).flatMap((pointer, i) =>
      parsePointer(pointer) ? [] : [`ignoreDifferences[${index}].jsonPointers[${i}] "${pointer}"`],
    ),
  );
}

/** The keys of an RFC 6901 pointer; undefined for text that is none, or that names the whole object. */
export function parsePointer(pointer: string): string[] | undefined {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}
