/**
 * Shell-like matching as in AppProjects and directory filters: `*` and `**` any text (also `/`), `?` one character,
 * `[a-z]` and `[!a-z]`, `{a,b}`. Takes time in proportion to pattern × text, whatever they are.
 */
export function globMatches(pattern: string, text: string): boolean {
  return expandBraces(pattern).some((plain) => wildcardMatches(plain, text));
}

const MAX_ALTERNATIVES = 200;

/** `a{b,c}d` → `abd`, `acd`; unbalanced braces stand for themselves. */
function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf('{');
  if (open < 0) return [pattern];
  let depth = 0;
  const cuts = [open];
  for (let i = open; i < pattern.length; i++) {
    if (pattern[i] === '{') depth++;
    else if (pattern[i] === ',' && depth === 1) cuts.push(i);
    else if (pattern[i] === '}' && --depth === 0) {
      cuts.push(i);
      break;
    }
  }
  if (depth !== 0) return [pattern];
  const out: string[] = [];
  for (let i = 1; i < cuts.length; i++) {
    const alternative = pattern.slice(cuts[i - 1]! + 1, cuts[i]);
    out.push(...expandBraces(pattern.slice(0, open) + alternative + pattern.slice(cuts.at(-1)! + 1)));
    if (out.length > MAX_ALTERNATIVES) break;
  }
  return out.slice(0, MAX_ALTERNATIVES);
}

function wildcardMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    const step = p < pattern.length && pattern[p] !== '*' ? matchOne(pattern, p, text[t]!) : undefined;
    if (step !== undefined) {
      p = step;
      t++;
    } else if (pattern[p] === '*') {
      while (pattern[p] === '*') p++;
      star = p;
      mark = t;
    } else if (star >= 0) {
      p = star;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Where the pattern goes on after it matched one character; undefined when it does not. */
function matchOne(pattern: string, at: number, character: string): number | undefined {
  const first = pattern[at];
  if (first === '?') return at + 1;
  if (first === '\\' && at + 1 < pattern.length) return pattern[at + 1] === character ? at + 2 : undefined;
  const end = first === '[' ? pattern.indexOf(']', at + 2) : -1;
  if (end < 0) return first === character ? at + 1 : undefined;
  const negated = pattern[at + 1] === '!' || pattern[at + 1] === '^';
  let inside = false;
  for (let i = at + (negated ? 2 : 1); i < end; i++) {
    if (pattern[i + 1] === '-' && i + 2 < end) {
      if (pattern[i]! <= character && character <= pattern[i + 2]!) inside = true;
      i += 2;
    } else if (pattern[i] === character) inside = true;
  }
  return inside !== negated ? end + 1 : undefined;
}
