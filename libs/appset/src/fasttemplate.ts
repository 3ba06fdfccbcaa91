import type { Params } from './params.ts';

/** A larger field than this is an error; no Kubernetes object can be as large. */
const MAX_FIELD_BYTES = 4 * 1024 * 1024;

/** A compiled string: literals and tags by turns, starting and ending with a literal. */
export interface FastTemplate {
  literals: string[];
  /** Names, trimmed; '' is never replaced. */
  names: string[];
  /** The tags as written between the braces. */
  raw: string[];
}

/**
 * Compiles what fasttemplate treats as a template: undefined when no line has a complete tag (the string is then
 * plain text). Throws on an unclosed tag after a complete one.
 */
export function compileFast(text: string): FastTemplate | undefined {
  if (!text.includes('{{') || !text.split('\n').some(hasTag)) return undefined;
  const template: FastTemplate = { literals: [], names: [], raw: [] };
  let at = 0;
  for (;;) {
    const open = text.indexOf('{{', at);
    if (open < 0) break;
    const close = text.indexOf('}}', open + 2);
    if (close < 0)
      throw new TypeError(
        `invalid template: Cannot find end tag="}}" in the template=${JSON.stringify(text)} starting from ${JSON.stringify(text.slice(open + 2))}`,
      );
    const raw = text.slice(open + 2, close);
    template.literals.push(text.slice(at, open));
    template.raw.push(raw);
    template.names.push(raw.trim());
    at = close + 2;
  }
  template.literals.push(text.slice(at));
  return template;
}

function hasTag(line: string): boolean {
  const open = line.indexOf('{{');
  return open >= 0 && line.lastIndexOf('}}') >= open + 2;
}

/** Replaces each tag once; an unknown, empty or non-string parameter leaves its tag as it was written. */
export function renderFast(template: FastTemplate, params: Params): string {
  const { literals, names, raw } = template;
  let out = literals[0]!;
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const value = name === '' ? undefined : params[name];
    out += (typeof value === 'string' ? value : `{{${raw[i]!}}}`) + literals[i + 1]!;
    if (out.length > MAX_FIELD_BYTES) throw new TypeError('the field is larger than 4 MiB');
  }
  return out;
}

/** One string, compiled and rendered at once. */
export function replaceFast(text: string, params: Params): string {
  const template = compileFast(text);
  return template ? renderFast(template, params) : text;
}
