import { keyOf, type KubeObject } from '../object.ts';
import { GROUP_SUFFIXES, GROUPS } from './catalogue/index.ts';
import { rule, type Step } from './rules.ts';
import { type Health, unknown } from './status.ts';

/** The catalogue's rule for a kind: by its group, then by the end of its group. */
function findRule(group: string, kind: string): Step | undefined {
  const exact = lookUp(GROUPS[group], kind);
  if (exact) return exact;
  for (const [suffix, rules] of Object.entries(GROUP_SUFFIXES)) {
    const found = group.endsWith(suffix) ? lookUp(rules, kind) : undefined;
    if (found) return found;
  }
  return undefined;
}

function lookUp(rules: Record<string, Step> | undefined, kind: string): Step | undefined {
  if (!rules) return undefined;
  return Object.hasOwn(rules, kind) ? rules[kind] : rules['*'];
}

/** Whether the catalogue of custom resources has a rule for the kind. */
export function hasCatalogueRule(object: KubeObject): boolean {
  const { group, kind } = keyOf(object);
  return findRule(group, kind) !== undefined;
}

/** Health of a custom resource by the catalogue's rule for its kind; null without one. A rule that fails answers Unknown. */
export function assessByCatalogue(object: KubeObject): Health | null {
  const { group, kind } = keyOf(object);
  const found = findRule(group, kind);
  if (!found) return null;
  try {
    return rule(found)(withoutNulls(object)) ?? null;
  } catch (thrown) {
    // A shape that no rule expects (a TypeError), or a field that is missing (a RuleError).
    return unknown(`health check failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

/** Rules do not tell null from absent, nor did the scripts of the reference. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(entries.map(([key, member]) => [key, withoutNulls(member)]));
}
