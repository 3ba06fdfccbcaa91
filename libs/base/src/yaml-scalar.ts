/** How a scalar was written: its text, its explicit tag without `tag:yaml.org,2002:` (or none), and whether it was plain. */
export interface Scalar {
  text: string;
  tag: string | undefined;
  plain: boolean;
}

/** An explicit tag that its text does not fit, for example `!!int abc`. */
export class TagMismatch extends Error {}

const TRUE = new Set(['yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']);
const FALSE = new Set(['no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']);
const TRUE_LETTER = new Set(['y', 'Y']);
const FALSE_LETTER = new Set(['n', 'N']);
const NULL = new Set(['', '~', 'null', 'Null', 'NULL']);
const SPECIAL_FLOATS = new Map<string, number>([
  ...['.nan', '.NaN', '.NAN'].map((text) => [text, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(
    (text) => [text, Number.POSITIVE_INFINITY] as const,
  ),
  ...['-.inf', '-.Inf', '-.INF'].map((text) => [text, Number.NEGATIVE_INFINITY] as const),
]);

const STANDARD_TAGS = new Set(['str', 'bool', 'int', 'float', 'null', 'timestamp']);
const FIRST_CHARACTERS = /^[-+.0-9yYnNtTfFoO~]/;
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|(0[0-7]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Go's ParseFloat takes underscores between digits. */
const DOT_FLOAT = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const TIMESTAMP = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]| )[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}.*)?$/;

type Resolved = { type: string; value: string | number | bigint | boolean | null };

/**
 * The value of a scalar, as go-yaml v2 resolves it (YAML 1.1 with Go's integer syntax). Integers come back as
 * bigint when they do not fit a double exactly. `letters` makes y, Y, n and N booleans.
 */
export function resolveScalar(scalar: Scalar, letters: boolean): string | number | bigint | boolean | null {
  const { text, tag, plain } = scalar;
  if (tag === undefined) return plain ? resolvePlain(text, letters).value : text;
  if (tag === 'binary') return decodeBinary(text);
  if (tag === 'str' || !STANDARD_TAGS.has(tag)) return text;
  if (tag === 'timestamp') {
    if (TIMESTAMP.test(text)) return text;
    throw new TagMismatch(`cannot decode \`${text}\` as a !!timestamp`);
  }
  const resolved = resolvePlain(text, letters);
  if (resolved.type === tag) return resolved.value;
  if (tag === 'float' && resolved.type === 'int') return Number(resolved.value);
  throw new TagMismatch(`cannot decode \`${text}\` as a !!${tag}`);
}

function resolvePlain(text: string, letters: boolean): Resolved {
  if (text !== '' && !FIRST_CHARACTERS.test(text)) return { type: 'str', value: text };
  if (TRUE.has(text) || (letters && TRUE_LETTER.has(text))) return { type: 'bool', value: true };
  if (FALSE.has(text) || (letters && FALSE_LETTER.has(text))) return { type: 'bool', value: false };
  if (NULL.has(text)) return { type: 'null', value: null };
  const special = SPECIAL_FLOATS.get(text);
  if (special !== undefined) return { type: 'float', value: special };
  if (text[0] === '.') {
    if (DOT_FLOAT.test(text)) return { type: 'float', value: Number(text.replaceAll('_', '')) };
    return { type: 'str', value: text };
  }
  return /^[-+0-9]/.test(text) ? resolveNumber(text) : { type: 'str', value: text };
}

function resolveNumber(text: string): Resolved {
  const digits = text.replaceAll('_', '');
  const integer = parseInteger(digits);
  if (integer !== undefined) return { type: 'int', value: integer };
  if (FLOAT.test(digits)) {
    const float = Number(digits);
    if (Number.isFinite(float)) return { type: 'float', value: float };
  }
  return { type: 'str', value: text };
}

/** Go's ParseInt and ParseUint with base 0; undefined outside 64 bits. */
function parseInteger(digits: string): number | bigint | undefined {
  const match = INTEGER.exec(digits);
  if (!match) return undefined;
  const [, sign, hex, binary, octal, oldOctal, decimal] = match;
  if (decimal !== undefined && decimal.length < 16) return withSign(Number(decimal), sign === '-');
  const magnitude = BigInt(
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : octal !== undefined
          ? `0o${octal}`
          : oldOctal !== undefined
            ? `0o${oldOctal}`
            : decimal!,
  );
  const limit = sign === '-' ? 1n << 63n : sign === '+' ? (1n << 63n) - 1n : (1n << 64n) - 1n;
  if (magnitude > limit) return undefined;
  if (magnitude <= BigInt(Number.MAX_SAFE_INTEGER)) return withSign(Number(magnitude), sign === '-');
  return sign === '-' ? -magnitude : magnitude;
}

function withSign(magnitude: number, negative: boolean): number {
  return negative && magnitude !== 0 ? -magnitude : magnitude;
}

function decodeBinary(text: string): string {
  const compact = text.replace(/[\r\n]/g, '');
  const data = Buffer.from(compact, 'base64');
  if (data.toString('base64') !== compact)
    throw new TagMismatch('!!binary value contains invalid base64 data');
  return data.toString('utf8');
}

/** The text of a mapping key, as sigs.k8s.io/yaml turns keys into JSON; undefined for keys it refuses (null, beyond int64). */
export function keyText(key: string | number | bigint | boolean | null): string | undefined {
  if (typeof key === 'string') return key;
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'bigint') return key < 1n << 63n ? key.toString() : undefined;
  if (key === null) return undefined;
  return Number.isInteger(key) && Math.abs(key) <= Number.MAX_SAFE_INTEGER ? String(key) : floatKey(key);
}

/** Go's FormatFloat(x, 'g', -1, 32), with YAML's names for what is not finite. */
function floatKey(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  if (single === 0) return '0';
  let shortest = single.toExponential(8);
  for (let digits = 0; digits < 9; digits++) {
    const candidate = single.toExponential(digits);
    if (Math.fround(Number(candidate)) === single) {
      shortest = candidate;
      break;
    }
  }
  const [mantissa, exponentText] = shortest.split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 21 && exponent < 6) return String(Number(shortest));
  const magnitude = Math.abs(exponent).toString().padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${magnitude}`;
}
