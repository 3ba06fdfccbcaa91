import { globMatches } from './glob.ts';
import { isRecord, keyOf, type KubeObject } from './object.ts';

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
  jqPathExpressions?: string[];
  managedFieldsManagers?: string[];
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

/** The pointers that apply to an object, in the order of the rules. */
export function ignoredPointers(rules: readonly IgnoreRule[], object: KubeObject): string[] {
  return rules.flatMap((rule) => (ruleMatches(rule, object) ? (rule.jsonPointers ?? []) : []));
}

/** A copy of the object without the fields that the rules ignore; the same object where there is none. */
export function withoutIgnored(object: KubeObject, rules: readonly IgnoreRule[]): KubeObject {
  return ignoredPointers(rules, object).reduce<KubeObject>(
    (copy, pointer) => removeAt(copy, parsePointer(pointer) ?? []) as KubeObject,
    object,
  );
}

/** Fields of the rules that Muster does not obey, by name, for a refusal: `ignoreDifferences[1].jqPathExpressions`. */
export function unsupportedIgnoreFields(rules: readonly IgnoreRule[]): string[] {
  return rules.flatMap((rule, index) => {
    const path = `ignoreDifferences[${index}]`;
    const names: string[] = [];
    if (rule.jqPathExpressions?.length) names.push(`${path}.jqPathExpressions`);
    if (rule.managedFieldsManagers?.length) names.push(`${path}.managedFieldsManagers`);
    for (const [i, pointer] of (rule.jsonPointers ?? []).entries()) {
      if (parsePointer(pointer) === undefined) names.push(`${path}.jsonPointers[${i}] "${pointer}"`);
    }
    return names;
  });
}

/** The keys of an RFC 6901 pointer; undefined for text that is none, or that names the whole object. */
export function parsePointer(pointer: string): string[] | undefined {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A copy of the value without the field at a path; the value itself where there is no such field. */
export function removeAt(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(value)) {
    const index = /^(0|[1-9][0-9]*)$/.test(key) ? Number(key) : -1;
    if (index < 0 || index >= value.length) return value;
    if (rest.length === 0) return value.toSpliced(index, 1);
    const item: unknown = removeAt(value[index], rest);
    return item === value[index] ? value : value.with(index, item);
  }
  if (!isRecord(value) || !Object.hasOwn(value, key)) return value;
  if (rest.length === 0) {
    const { [key]: _removed, ...others } = value;
    return others;
  }
  const member = removeAt(value[key], rest);
  return member === value[key] ? value : { ...value, [key]: member };
}
