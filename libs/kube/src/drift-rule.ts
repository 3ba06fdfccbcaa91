import { MusterError } from '@muster/base';
import type { IgnoreRule } from './ignore.ts';
import type { ObjectKey } from './object.ts';

/** One step of a path as differences show it; the values of keys are texts. */
type ShownStep = string | number | { [key: string]: string };

/**
 * The rule that ignores one field of one object, from the path as a difference shows it (`formatPath`): a JSON pointer,
 * or a jq program where the way leads through an element that has a name. Throws MusterError `invalid` for no path.
 */
export function ruleForField(object: Omit<ObjectKey, 'version'>, path: string): IgnoreRule {
  const steps = parseShownPath(path);
  const { group, kind, namespace, name } = object;
  const rule = { group, kind, name, ...(namespace ? { namespace } : {}) };
  return steps.some((step) => typeof step === 'object')
    ? { ...rule, jqPathExpressions: [jqOf(steps)] }
    : { ...rule, jsonPointers: [pointerOf(steps)] };
}

function pointerOf(steps: readonly ShownStep[]): string {
  return steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function jqOf(steps: readonly ShownStep[]): string {
  const parts = steps.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    if (typeof step === 'string') return `[${JSON.stringify(step)}]`;
    const tests = Object.entries(step).map(
      ([key, value]) => `(.[${JSON.stringify(key)}] | tostring) == ${JSON.stringify(value)}`,
    );
    return `[] | select(${tests.join(' and ')}) | .`;
  });
  // `. | .["a"]` is `.["a"]`; what ends with an element is the element.
  return `.${parts.join('')}`.replace(/ \| \.$/, '');
}

const STEP = /\.?([A-Za-z_][-A-Za-z0-9_]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|\[([^\]"=]+=[^\]]*)\]/y;

/** The inverse of `formatPath`, as far as it can be read back. */
function parseShownPath(path: string): ShownStep[] {
  const steps: ShownStep[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const found = STEP.exec(path);
    if (!found) throw new MusterError('invalid', `"${path}" is no path of a field`);
    const [, word, index, quoted, keys] = found;
    if (word !== undefined) steps.push(word);
    else if (index !== undefined) steps.push(Number(index));
    else if (quoted !== undefined) steps.push(JSON.parse(quoted) as string);
    else steps.push(Object.fromEntries(keys!.split(',').map((each) => splitOnce(each))));
  }
  if (steps.length === 0) throw new MusterError('invalid', 'the whole object cannot be ignored');
  return steps;
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
