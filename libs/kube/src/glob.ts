type Token =
  | { type: 'text'; text: string }
  | { type: 'one' | 'stars' | 'star' }
  | { type: 'set'; test: RegExp };

const MAX_PATTERN = 1024;
const MAX_ALTERNATIVES = 256;
const cache = new Map<string, Token[][] | null>();

/**
 * Whether a text matches a glob: `*`, `?`, `[a-z]`, `[!a]`, `{a,b}` and `\` as escape. With a separator, `*` and
 * `?` stop at it and `**` does not; without one `*` spans everything. A malformed pattern matches only itself.
 * Takes time proportional to pattern × text at most: users write the patterns.
 */
export function globMatches(pattern: string, text: string, separator = ''): boolean {
  if (pattern === '*' && !separator) return true;
  let alternatives = cache.get(pattern);
  if (alternatives === undefined) {
    if (cache.size > 2000) cache.clear();
    alternatives = compile(pattern);
    cache.set(pattern, alternatives);
  }
  if (!alternatives) return pattern === text;
  return alternatives.some((tokens) => matches(tokens, text, separator));
}

function compile(pattern: string): Token[][] | null {
  if (pattern.length > MAX_PATTERN) return null;
  const alternatives = expand(pattern);
  if (!alternatives) return null;
  const compiled: Token[][] = [];
  for (const alternative of alternatives) {
    const tokens = tokenize(alternative);
    if (!tokens) return null;
    compiled.push(tokens);
  }
  return compiled;
}

/** Takes `{a,b}` apart, inner ones first come last; null when braces do not match or are too many. */
function expand(pattern: string): string[] | null {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0) {
    const current = open.pop()!;
    const braces = firstBraces(current);
    if (braces === null || done.length + open.length > MAX_ALTERNATIVES) return null;
    if (!braces) done.push(current);
    else for (const option of braces.options) open.push(braces.before + option + braces.after);
  }
  return done;
}

function firstBraces(
  pattern: string,
): { before: string; options: string[]; after: string } | undefined | null {
  let depth = 0;
  let start = -1;
  let optionStart = -1;
  const options: string[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '\\') i++;
    else if (c === '{' && depth++ === 0) {
      start = i;
      optionStart = i + 1;
    } else if (depth > 0 && depth === 1 && (c === ',' || c === '}')) {
      options.push(pattern.slice(optionStart, i));
      optionStart = i + 1;
      if (c === '}') return { before: pattern.slice(0, start), options, after: pattern.slice(i + 1) };
    } else if (c === '}' && depth > 0) depth--;
  }
  return depth > 0 ? null : undefined;
}

function tokenize(pattern: string): Token[] | null {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') tokens.push({ type: 'text', text: pattern[++i] ?? '\\' });
    else if (c === '?') tokens.push({ type: 'one' });
    else if (c === '*') {
      let stars = 1;
      for (; pattern[i + 1] === '*'; i++) stars++;
      tokens.push({ type: stars > 1 ? 'stars' : 'star' });
    } else if (c === '[') {
      const end = pattern.indexOf(']', i + 2);
      if (end < 0) return null;
      const negated = pattern[i + 1] === '!' || pattern[i + 1] === '^';
      const members = pattern.slice(i + (negated ? 2 : 1), end).replace(/[\\\][^]/g, '\\$&');
      try {
        tokens.push({ type: 'set', test: new RegExp(`^[${negated ? '^' : ''}${members}]$`) });
      } catch {
        return null;
      }
      i = end;
    } else tokens.push({ type: 'text', text: c });
  }
  return tokens;
}

/** One pass over the tokens, keeping every position of the text that they may have reached. */
function matches(tokens: Token[], text: string, separator: string): boolean {
  let reached = new Uint8Array(text.length + 1);
  reached[0] = 1;
  for (const token of tokens) {
    const next = new Uint8Array(text.length + 1);
    let spanning = false;
    for (let i = 0; i <= text.length; i++) {
      const c = text[i];
      if (token.type === 'star' || token.type === 'stars') {
        spanning ||= reached[i] === 1;
        if (spanning) next[i] = 1;
        if (token.type === 'star' && separator !== '' && c === separator) spanning = false;
      } else if (reached[i] && c !== undefined && matchesOne(token, c, separator)) next[i + 1] = 1;
    }
    reached = next;
  }
  return reached[text.length] === 1;
}

function matchesOne(token: Token, c: string, separator: string): boolean {
  if (token.type === 'text') return token.text === c;
  if (token.type === 'set') return token.test.test(c);
  return separator === '' || c !== separator;
}
