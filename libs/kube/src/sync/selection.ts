import { globMatches } from '../glob.ts';
import type { ObjectKey } from '../object.ts';

/** Which resources a sync is limited to. */
export interface ResourceSelector {
  group: string;
  kind: string;
  /** Undefined: in any namespace. */
  namespace: string | undefined;
  name: string;
  /** All but these (`!` in front). */
  exclude: boolean;
  /** As it was written. */
  text: string;
}

/**
 * Reads `GROUP:KIND:NAME` or `GROUP:KIND:NAMESPACE/NAME`, globs in any part, `!` in front for all others, as the
 * reference's `--resource`; undefined for anything else.
 */
export function parseResourceSelector(text: string): ResourceSelector | undefined {
  const exclude = text.startsWith('!');
  // Names of roles may hold colons themselves.
  const [group, kind, ...rest] = (exclude ? text.slice(1) : text).split(':');
  const object = rest.join(':');
  if (!kind || !object) return undefined;
  const slash = object.indexOf('/');
  const name = slash < 0 ? object : object.slice(slash + 1);
  if (!name || name.includes('/')) return undefined;
  return {
    group: group!,
    kind,
    namespace: slash < 0 ? undefined : object.slice(0, slash),
    name,
    exclude,
    text,
  };
}

/** The selector that names one object. */
export function selectorOf({ group, kind, namespace, name }: Omit<ObjectKey, 'version'>): string {
  return `${group}:${kind}:${namespace ? `${namespace}/` : ''}${name}`;
}

/** Whether a sync that is limited to these touches an object: one names it and none excludes it. No selectors: all. */
export function isSelected(selectors: readonly ResourceSelector[], key: Omit<ObjectKey, 'version'>): boolean {
  if (selectors.some((each) => each.exclude && fits(each, key))) return false;
  const included = selectors.filter((each) => !each.exclude);
  return included.length === 0 || included.some((each) => fits(each, key));
}

/** Selectors that name none of the objects: most likely misspelt. */
export function unmatchedSelectors(
  selectors: readonly ResourceSelector[],
  keys: readonly Omit<ObjectKey, 'version'>[],
): string[] {
  return selectors.filter((each) => !keys.some((key) => fits(each, key))).map(({ text }) => text);
}

function fits({ group, kind, namespace, name }: ResourceSelector, key: Omit<ObjectKey, 'version'>): boolean {
  return (
    globMatches(group, key.group) &&
    globMatches(kind, key.kind) &&
    globMatches(name, key.name) &&
    (namespace === undefined || globMatches(namespace, key.namespace))
  );
}
