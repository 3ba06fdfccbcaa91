/** A set of characters (or bytes, given as characters) of a pattern's `[…]`. */
export type CharTest = (char: string) => boolean;

/** One element of a compiled pattern: `any` is `*`, `deep` crosses slashes too, `dirs` is any number of `name/`. */
export type Token = { kind: 'char'; test: CharTest } | { kind: 'any' | 'deep' | 'dirs' };

export const literal = (wanted: string): Token => ({ kind: 'char', test: (char) => char === wanted });

/**
 * Whether the tokens match the whole text, in time |tokens| × |text| whatever the pattern: a set of reached
 * positions moves along the text.
 */
export function matchTokens(tokens: readonly Token[], text: readonly string[]): boolean {
  let reached = new Set<number>();
  const reach = (set: Set<number>, at: number): void => {
    set.add(at);
    for (let i = at; i < tokens.length && tokens[i]!.kind !== 'char'; i++) set.add(i + 1);
  };
  reach(reached, 0);
  for (const char of text) {
    const next = new Set<number>();
    for (const at of reached) {
      const token = tokens[at];
      if (!token) continue;
      if (token.kind === 'char') {
        if (token.test(char)) reach(next, at + 1);
      } else if (token.kind === 'dirs' && char !== '/') next.add(at);
      else if (token.kind !== 'any' || char !== '/') reach(next, at);
    }
    if (next.size === 0) return false;
    reached = next;
  }
  return reached.has(tokens.length);
}
