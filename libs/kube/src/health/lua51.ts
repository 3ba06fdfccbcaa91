/**
 * Lua 5.1 as the reference runs it, written so that an interpreter of 5.3 does the same: every number is a double
 * (5.3's integers wrap), escapes and operators that 5.1 does not know are not understood, `_ENV` is a name like any
 * other. Lines stay where they are, for messages.
 */
export function fromLua51(source: string): string {
  const token =
    /--\[(=*)\[[^]*?\]\1\]|--[^\n]*|\[(=*)\[[^]*?\]\2\]|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'|0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[A-Za-z_]\w*|\.\.\.?|[~<>=]=|\/\/|<<|>>|[&|~]/g;
  return source.replace(token, (text: string) => {
    const first = text[0]!;
    if (first === '"' || first === "'") return text.replace(/\\([^])/g, escape);
    if (/^0[xX]/.test(text)) return `${Number(text)}.0`;
    if (/^\d/.test(text)) return /[.eE]/.test(text) ? text : `${text}.0`;
    if (text === '_ENV') return '_ENV_';
    return UNKNOWN.has(text) ? ' $ ' : text;
  });
}

/** What 5.1 takes for a syntax error. */
const UNKNOWN = new Set(['//', '<<', '>>', '&', '|', '~']);

/** `\x41`, `\u{41}` and `\z` are the letters themselves in 5.1. */
function escape(whole: string, letter: string): string {
  return 'xuz'.includes(letter) ? letter : whole;
}

/** A number as the reference's interpreter prints it: whole ones without exponent, others as Go's `%v`. */
export function luaNumber(n: number): string {
  if (Number.isNaN(n)) return 'NaN';
  if (!Number.isFinite(n)) return n > 0 ? '+Inf' : '-Inf';
  if (Number.isInteger(n) && Math.abs(n) < 2 ** 63) return BigInt(n).toString();
  const [digits, exponent] = n.toExponential().split('e') as [string, string];
  const e = Number(exponent);
  if (e >= -4 && e < 6) return String(n);
  return `${digits}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
}
