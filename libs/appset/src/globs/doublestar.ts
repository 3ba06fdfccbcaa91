import { literal, matchTokens, type Token } from './class.ts';
import { inRanges } from './path-match.ts';

const MAX_ALTERNATIVES = 1000;

/**
 * Globs of the "new" git file globbing: `*` and `?` stay inside a name, `**` as a whole name is any number of
 * directories, `{a,b}`, `[a-z]`, `[!a]`, `[^a]`, backslash. Throws on a malformed pattern. `.` is the root.
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  const alternatives = braces(clean(pattern))
    .flatMap(withAndWithoutTail)
    .map((text) => parse([...text]));
  return (path) => {
    const chars = [...path];
    return alternatives.some((tokens) => matchTokens(tokens, chars));
  };
}

function clean(pattern: string): string {
  const out: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else out.push(part);
  }
  return out.join('/') || '.';
}

/** `a/**` is `a` itself as well as all below it. */
function withAndWithoutTail(pattern: string): string[] {
  if (pattern === '**') return ['.', '**'];
  return pattern.endsWith('/**') ? [...withAndWithoutTail(pattern.slice(0, -3)), pattern] : [pattern];
}

function braces(pattern: string): string[] {
  const open = find(pattern, 0, '{');
  if (open < 0) return [pattern];
  const commas: number[] = [];
  let depth = 0;
  let close = -1;
  for (let i = open; i < pattern.length && close < 0; i++) {
    const char = pattern[i];
    if (char === '\\') i++;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) close = i;
    else if (char === ',' && depth === 1) commas.push(i);
  }
  if (close < 0) throw new TypeError('syntax error in pattern');
  const cuts = [open, ...commas, close];
  const out = cuts
    .slice(1)
    .flatMap((cut, i) =>
      braces(pattern.slice(0, open) + pattern.slice(cuts[i]! + 1, cut) + pattern.slice(close + 1)),
    );
  if (out.length > MAX_ALTERNATIVES) throw new TypeError('too many alternatives in the pattern');
  return out;
}

function find(text: string, from: number, wanted: string): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === wanted) return i;
  }
  return -1;
}

function parse(chars: string[]): Token[] {
  const tokens: Token[] = [];
  const bad = (): never => {
    throw new TypeError('syntax error in pattern');
  };
  for (let at = 0; at < chars.length; ) {
    const char = chars[at++]!;
    if (char === '*') {
      const start = at - 1;
      while (chars[at] === '*') at++;
      const whole = at - start === 2 && (start === 0 || chars[start - 1] === '/');
      if (whole && chars[at] === '/') {
        tokens.push({ kind: 'dirs' });
        at++;
      } else tokens.push({ kind: whole && at === chars.length ? 'deep' : 'any' });
    } else if (char === '?') tokens.push({ kind: 'char', test: (c) => c !== '/' });
    else if (char === '[') at = parseClass(chars, at, tokens, bad);
    else if (char === '\\') tokens.push(literal(chars[at++] ?? bad()));
    else tokens.push(literal(char));
  }
  return tokens;
}

function parseClass(chars: string[], start: number, tokens: Token[], bad: () => never): number {
  let at = start;
  const negated = chars[at] === '!' || chars[at] === '^';
  if (negated) at++;
  const ranges: [string, string][] = [];
  const next = (): string => {
    if (chars[at] === '\\') at++;
    return chars[at++] ?? bad();
  };
  while (chars[at] !== ']' || ranges.length === 0) {
    if (chars[at] === ']' || chars[at] === undefined) bad();
    const low = next();
    let high = low;
    if (chars[at] === '-' && chars[at + 1] !== ']') {
      at++;
      high = next();
    }
    ranges.push([low, high]);
  }
  const inside = inRanges(ranges);
  tokens.push({ kind: 'char', test: (char) => char !== '/' && inside(char) !== negated });
  return at + 1;
}
