import { type CharTest, literal, matchTokens, type Token } from './class.ts';
import { inRanges } from './path-match.ts';

interface Magic {
  literal: boolean;
  icase: boolean;
  glob: boolean;
  exclude: boolean;
  top: boolean;
}

/**
 * The pathspec of `git ls-files -- PATTERN` run at the repository's root: `*` crosses slashes, a directory means all
 * below it, magic works (`:(glob,icase,literal,exclude,top)`, `:/`, `:!`, `:^`). Throws where git refuses.
 */
export function compilePathspec(given: string): (path: string) => boolean {
  const { magic, pattern } = readMagic(given === '' ? '.' : given);
  // With `top` Git takes the pattern as it is.
  const clean = toBytes(magic.top ? pattern : normalize(pattern));
  const fold = (text: string) => (magic.icase ? text.toLowerCase() : text);
  const wanted = fold(clean);
  const tokens = !magic.literal && /[*?[\\]/.test(clean) ? parse([...wanted], magic.glob) : undefined;
  const matches = (path: string): boolean => {
    const bytes = fold(toBytes(path));
    if (wanted === '' || bytes === wanted) return true;
    if (bytes.startsWith(wanted) && (wanted.endsWith('/') || bytes[wanted.length] === '/')) return true;
    return tokens !== undefined && matchTokens(tokens, [...bytes]);
  };
  // An exclusion alone means everything else.
  return magic.exclude ? (path) => !matches(path) : matches;
}

/** Git compares bytes: `?` is one byte, not one character. */
function toBytes(text: string): string {
  if (new TextEncoder().encode(text).length === text.length) return text;
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

function readMagic(given: string): { magic: Magic; pattern: string } {
  const magic: Magic = { literal: false, icase: false, glob: false, exclude: false, top: false };
  if (!given.startsWith(':')) return { magic, pattern: given };
  if (given.startsWith(':(')) {
    const end = given.indexOf(')');
    if (end < 0) throw new TypeError(`Missing ')' at the end of pathspec magic in '${given}'`);
    for (const word of given.slice(2, end).split(',')) setMagic(magic, word, given);
    if (magic.glob && magic.literal) throw new TypeError(`${given}: 'literal' and 'glob' are incompatible`);
    return { magic, pattern: given.slice(end + 1) };
  }
  let at = 1;
  for (; at < given.length && given[at] !== ':'; at++) {
    const char = given[at]!;
    if (char === '!' || char === '^') magic.exclude = true;
    else if (char === '/') magic.top = true;
    else {
      if (/[!-/:-@[-`{-~]/.test(char) && !/[*?[\\.(]/.test(char) && char !== ')')
        throw new TypeError(`Unimplemented pathspec magic '${char}' in '${given}'`);
      break;
    }
  }
  if (given[at] === ':') at++;
  return { magic, pattern: given.slice(at) };
}

function setMagic(magic: Magic, word: string, given: string): void {
  if (Object.hasOwn(magic, word)) magic[word as keyof Magic] = true;
  else if (word.startsWith('attr:')) throw new TypeError(`${given}: pathspec attributes are not supported`);
  else if (word !== '' && !word.startsWith('prefix:'))
    throw new TypeError(`Invalid pathspec magic '${word}' in '${given}'`);
}

/** Resolves `.`, `..` and double slashes; a trailing slash stays. */
function normalize(pattern: string): string {
  if (pattern.startsWith('/')) throw new TypeError(`${pattern}: '${pattern}' is outside repository`);
  const out: string[] = [];
  const parts = pattern.split('/');
  for (const part of parts) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.pop() === undefined) throw new TypeError(`${pattern}: '${pattern}' is outside repository`);
  }
  const last = parts.at(-1);
  const slash = out.length > 0 && (last === '' || last === '.' || last === '..');
  return out.join('/') + (slash ? '/' : '');
}

const CLASSES: Record<string, RegExp> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[^ -~\u0080-\u00ff]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /\s/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** wildmatch: with `:(glob)` stars and `?` stop at slashes and `**` between slashes does not. */
function parse(chars: string[], pathname: boolean): Token[] {
  const tokens: Token[] = [];
  const special = chars.findIndex((char) => '*?[\\'.includes(char));
  const nothing: Token = { kind: 'char', test: () => false };
  for (let at = 0; at < chars.length; ) {
    const char = chars[at++]!;
    if (char === '*') {
      const start = at - 1;
      while (chars[at] === '*') at++;
      // Git compares the text before the first special character apart, so stars right after it are at a start.
      const whole = at - start >= 2 && (start === 0 || start === special || chars[start - 1] === '/');
      const open = chars[at] === undefined || chars[at] === '/';
      if (!pathname) tokens.push({ kind: 'deep' });
      else if (whole && open) at = addDeep(tokens, chars, at);
      else tokens.push({ kind: 'any' });
    } else if (char === '?') tokens.push({ kind: 'char', test: pathname ? (c) => c !== '/' : () => true });
    else if (char === '[') {
      const parsed = parseClass(chars, at, pathname);
      if (!parsed) return [nothing];
      tokens.push({ kind: 'char', test: parsed.test });
      at = parsed.at;
    } else if (char === '\\') {
      if (at >= chars.length) return [nothing];
      tokens.push(literal(chars[at++]!));
    } else tokens.push(literal(char));
  }
  return tokens;
}

/** `**` at the end takes everything; `**` before a slash takes any number of directories, none included. */
function addDeep(tokens: Token[], chars: string[], at: number): number {
  if (chars[at] === '/') {
    tokens.push({ kind: 'dirs' });
    return at + 1;
  }
  tokens.push({ kind: 'deep' });
  return at;
}

function parseClass(
  chars: string[],
  start: number,
  pathname: boolean,
): { test: CharTest; at: number } | undefined {
  let at = start;
  const negated = chars[at] === '!' || chars[at] === '^';
  if (negated) at++;
  const ranges: [string, string][] = [];
  const classes: RegExp[] = [];
  for (let first = true; first || chars[at] !== ']'; first = false) {
    if (chars[at] === undefined) return undefined;
    if (chars[at] === '[' && chars[at + 1] === ':') {
      const end = chars.indexOf(']', at + 2);
      const named = end > 0 && chars[end - 1] === ':' ? chars.slice(at + 2, end - 1).join('') : undefined;
      if (named !== undefined) {
        if (!CLASSES[named]) return undefined;
        classes.push(CLASSES[named]);
        at = end + 1;
        continue;
      }
    }
    if (chars[at] === '\\') at++;
    const low = chars[at++];
    let high = low;
    if (chars[at] === '-' && chars[at + 1] !== undefined && chars[at + 1] !== ']') {
      at++;
      if (chars[at] === '\\') at++;
      high = chars[at++];
    }
    if (low === undefined || high === undefined) return undefined;
    ranges.push([low, high]);
  }
  const inside = inRanges(ranges);
  const test: CharTest = (char) =>
    (inside(char) || classes.some((set) => set.test(char))) !== negated && !(pathname && char === '/');
  return { test, at: at + 1 };
}
