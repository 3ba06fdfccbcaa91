import type { LabelSelector } from './types.ts';

/** Says whether a set of labels is selected. */
export type Matcher = (labels: Record<string, string>) => boolean;

/** How strict a selector is: Kubernetes checks label values, the selector beside a generator does not. */
export interface SelectorRules {
  checkValues: boolean;
  /** The word in the message for an unknown operator. */
  noun: string;
}

export const clusterRules: SelectorRules = { checkValues: true, noun: 'label' };
export const parameterRules: SelectorRules = { checkValues: false, noun: 'pod' };

/** Compiles a label selector; throws a TypeError with Kubernetes' message when it is not valid. */
export function compileSelector(selector: LabelSelector | undefined, rules: SelectorRules): Matcher {
  const tests: Matcher[] = [];
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    checkKey(key);
    if (rules.checkValues) checkValue(key, 0, value);
    tests.push((labels) => labels[key] === value);
  }
  for (const expression of selector?.matchExpressions ?? []) tests.push(compileExpression(expression, rules));
  return (labels) => tests.every((test) => test(labels));
}

export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length === 0;
}

function compileExpression(
  { key, operator, values }: { key: string; operator: string; values?: string[] },
  rules: SelectorRules,
): Matcher {
  const wanted = values ?? [];
  const known = ['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator);
  if (!known)
    throw new TypeError(`${JSON.stringify(operator ?? '')} is not a valid ${rules.noun} selector operator`);
  checkKey(key ?? '');
  const shown = values && values.length > 0 ? JSON.stringify(values) : 'null';
  if (operator === 'In' || operator === 'NotIn') {
    if (wanted.length === 0)
      throw new TypeError(
        `values: Invalid value: ${shown}: for 'in', 'notin' operators, values set can't be empty`,
      );
    if (rules.checkValues) wanted.forEach((value, i) => checkValue(key, i, value));
    const set = new Set(wanted);
    const inSet = operator === 'In';
    return (labels) => (labels[key] === undefined ? !inSet : set.has(labels[key]) === inSet);
  }
  if (wanted.length > 0)
    throw new TypeError(
      `values: Invalid value: ${shown}: values set must be empty for exists and does not exist`,
    );
  const exists = operator === 'Exists';
  return (labels) => (labels[key] !== undefined) === exists;
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** A qualified name: an optional DNS prefix, a slash, and a name of at most 63 characters. */
function checkKey(key: string): void {
  const parts = key.split('/');
  const name = parts.at(-1)!;
  const prefix = parts.length === 2 ? parts[0]! : undefined;
  const bad = (why: string): never => {
    throw new TypeError(`key: Invalid value: ${JSON.stringify(key)}: ${why}`);
  };
  if (parts.length > 2)
    bad('a qualified name must consist of alphanumeric characters, an optional DNS prefix and at most one /');
  if (prefix === '') bad('prefix part must be non-empty');
  if (prefix !== undefined && (prefix.length > 253 || !prefix.split('.').every((part) => LABEL.test(part))))
    bad('prefix part must be a lower-case DNS subdomain of at most 253 characters');
  if (name === '') bad('name part must be non-empty');
  if (name.length > 63) bad('name part must be no more than 63 characters');
  if (!NAME.test(name))
    bad(
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    );
}

function checkValue(key: string, index: number, value: string): void {
  if (typeof value === 'string' && value.length <= 63 && (value === '' || NAME.test(value))) return;
  throw new TypeError(
    `values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of at most 63 alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
  );
}
