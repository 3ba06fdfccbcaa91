import { at } from './read.ts';
import type { Health, HealthStatus } from './status.ts';

/**
 * An object of a kind that nobody has typed. Rules reach into it without care: a field of something that is not there
 * throws, and the answer is then Unknown, as in the reference, whose scripts fail in the same places.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- custom resources have any shape
export type Loose = any;

/** A rule's answer; undefined hands over to the next step. */
export type Rule = (object: Loose) => Health | undefined;

/** A step of a rule: another rule, or a verdict such as `Degraded: failed at {status.stage}` (see `say`). */
export type Step = string | Rule;

/** The rules of one API group by kind; `*` is every other kind. */
export type GroupRules = Record<string, Step>;

/** A rule met a shape that it cannot judge; the message becomes the health message. */
export class RuleError extends Error {}

const STATUSES = new Set<string>([
  'Healthy',
  'Suspended',
  'Progressing',
  'Missing',
  'Degraded',
  'Unknown',
  '',
]);

/**
 * A verdict from text: `Status: message`, or the bare status. `{path}` stands for a field of the object, `{.path}` for one of
 * the condition at hand, `{path|text}` for text where the field is missing. A missing field is empty when it is the
 * whole message, and an error inside a longer one.
 */
export function say(text: string, object: Loose, condition?: Loose): Health {
  const colon = text.indexOf(':');
  const status = (colon < 0 ? text : text.slice(0, colon)).trim();
  const template = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '');
  return health(status, fill(template, object, condition));
}

/** A health of any status text; one that does not exist is Unknown, in the words of the reference. */
export function health(status: unknown, message: unknown = ''): Health {
  const text = message === undefined || message === null ? '' : String(message);
  if (typeof status !== 'string' || !STATUSES.has(status)) {
    return { status: 'Unknown', message: 'Lua returned an invalid health status' };
  }
  return { status: status as HealthStatus, message: text };
}

function fill(template: string, object: Loose, condition: Loose): string {
  const whole = /^\{[^{}]+\}$/.test(template);
  return template.replace(/\{([^{}]+)\}/g, (_match, inside: string) => {
    const bar = inside.indexOf('|');
    const path = bar < 0 ? inside : inside.slice(0, bar);
    const value = path.startsWith('.') ? field(condition, path.slice(1)) : field(object, path);
    if (value !== undefined && value !== null) return String(value);
    if (bar >= 0) return inside.slice(bar + 1);
    if (whole) return '';
    throw new RuleError(`${path} is missing`);
  });
}

/** The value at a dotted path, or undefined. */
export function field(object: unknown, path: string): Loose {
  return at(object, ...path.split('.')) ?? undefined;
}

/** The first answer of the steps. */
export function rule(...steps: Step[]): Rule {
  return (object) => {
    for (const step of steps) {
      const answer = typeof step === 'string' ? say(step, object) : step(object);
      if (answer) return answer;
    }
    return undefined;
  };
}

/** The steps, where the test holds. */
export function when(test: (object: Loose) => unknown, ...steps: Step[]): Rule {
  const then = rule(...steps);
  return (object) => (test(object) ? then(object) : undefined);
}

/** A verdict by the value of a field; `*` is any other value. No answer where the field is missing. */
export function byValue(path: string, verdicts: Record<string, string>): Rule {
  return (object) => {
    const value = field(object, path);
    if (value === undefined) return undefined;
    const verdict = Object.hasOwn(verdicts, String(value)) ? verdicts[String(value)] : verdicts['*'];
    return verdict === undefined ? undefined : say(verdict, object);
  };
}

/**
 * The first condition, in their order, that one of the cases fits. A case is `Type=Status/Reason`, each part optional
 * or `*`, types divided by `|`, `!=` for any other status: `Ready=True`, `Ready!=True`, `A|B`, `*=False/Failed`.
 */
export function conditions(cases: Record<string, string>, path = 'status.conditions'): Rule {
  const compiled = Object.entries(cases).map(
    ([pattern, verdict]) => [compileCase(pattern), verdict] as const,
  );
  return (object) => {
    for (const condition of listOf(object, path)) {
      for (const [fits, verdict] of compiled) if (fits(condition)) return say(verdict, object, condition);
    }
    return undefined;
  };
}

function compileCase(pattern: string): (condition: Loose) => boolean {
  const match = /^([^=!/]+)(?:(!?=)([^/]+))?(?:\/(.+))?$/.exec(pattern);
  if (!match) throw new RuleError(`not a condition case: ${pattern}`);
  const [, types, operator, status, reason] = match;
  const names = types === '*' ? undefined : types!.split('|');
  return (condition) =>
    (!names || names.includes(condition.type)) &&
    (!operator || status === '*' || (condition.status === status) === (operator === '=')) &&
    (!reason || condition.reason === reason);
}

/** The list at a dotted path without nulls; empty where there is none. */
export function listOf(object: unknown, path: string): Loose[] {
  const list = field(object, path);
  return Array.isArray(list) ? list.filter((item) => item !== null && item !== undefined) : [];
}

/** The last condition of a type, or undefined. */
export function conditionOf(object: unknown, type: string): Loose {
  return listOf(object, 'status.conditions').findLast((condition) => condition.type === type);
}

/** Whether a condition of the type has the status. */
export function has(object: unknown, type: string, status = 'True'): boolean {
  return listOf(object, 'status.conditions').some((c) => c.type === type && c.status === status);
}

/** The usual case: the condition says Healthy, Degraded, or nothing yet. */
export function ready(waiting: string, type = 'Ready', whenTrue = '{.message}'): Rule {
  return rule(
    conditions({ [`${type}=False`]: 'Degraded: {.message}', [`${type}=True`]: `Healthy: ${whenTrue}` }),
    `Progressing: ${waiting}`,
  );
}

/** Whether `status.observedGeneration` is there and not the object's generation. */
export function isStale(object: Loose): boolean {
  const observed = field(object, 'status.observedGeneration');
  const wanted = field(object, 'metadata.generation');
  return observed !== undefined && wanted !== undefined && observed !== wanted;
}

/** Whether a condition says that it was written for another generation than the object's. */
export function isOfAnotherGeneration(object: Loose, condition: Loose): boolean {
  const wanted = field(object, 'metadata.generation');
  const observed = condition.observedGeneration ?? undefined;
  return wanted !== undefined && observed !== undefined && observed !== wanted;
}

/** A field that must be there, as in longer messages; throws RuleError otherwise. */
export function need<Value>(value: Value | undefined | null, name: string): Value {
  if (value === undefined || value === null) throw new RuleError(`${name} is missing`);
  return value;
}

/** A step that fails where a field is missing: the reference's check reads it without asking. */
export function requires(path: string): Rule {
  return (object) => {
    need(field(object, path), path);
    return undefined;
  };
}
