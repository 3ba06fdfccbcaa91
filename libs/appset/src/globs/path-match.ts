import { type CharTest, literal, matchTokens, type Token } from './class.ts';

/** Go's path.Match: `*` and `?` stop at slashes, `**` is `*`, `[^a-z]` negates; a malformed pattern matches nothing. */
export function compilePathMatch(pattern: string): (path: string) => boolean {
  const tokens = parse([...pattern]);
  return tokens ? (path) => matchTokens(tokens, [...path]) : () => false;
}

function parse(chars: string[]): Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  /** A character that a backslash may escape; undefined at a place where the pattern is malformed. */
  const escaped = (): string | undefined => {
    if (chars[at] === '\\') at++;
    return chars[at++];
  };
  const parseClass = (): CharTest | undefined => {
    const negated = chars[at] === '^';
    if (negated) at++;
    const ranges: [string, string][] = [];
    while (!(chars[at] === ']' && ranges.length > 0)) {
      if (chars[at] === undefined || chars[at] === '-' || chars[at] === ']') return undefined;
      const low = escaped();
      let high = low;
      if (chars[at] === '-') {
        at++;
        if (chars[at] === undefined || chars[at] === '-' || chars[at] === ']') return undefined;
        high = escaped();
      }
      if (low === undefined || high === undefined || chars[at] === undefined) return undefined;
      ranges.push([low, high]);
    }
    at++;
    const inside = inRanges(ranges);
    // Unlike in Unix a class may match a slash: path.Match only keeps `*` and `?` from it.
    return (char) => inside(char) !== negated;
  };
  while (at < chars.length) {
    const char = chars[at++]!;
    if (char === '*') {
      if (tokens.at(-1)?.kind !== 'any') tokens.push({ kind: 'any' });
    } else if (char === '?') tokens.push({ kind: 'char', test: (c) => c !== '/' });
    else if (char === '[') {
      const test = parseClass();
      if (!test) return undefined;
      tokens.push({ kind: 'char', test });
    } else if (char === '\\') {
      if (at >= chars.length) return undefined;
      tokens.push(literal(chars[at++]!));
    } else tokens.push(literal(char));
  }
  return tokens;
}

export function inRanges(ranges: readonly (readonly [string, string])[]): CharTest {
  const points = ranges.map(([low, high]) => [low.codePointAt(0)!, high.codePointAt(0)!] as const);
  return (char) => {
    const point = char.codePointAt(0)!;
    return points.some(([low, high]) => low <= point && point <= high);
  };
}
