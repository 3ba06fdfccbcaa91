const INDENT = '  ';

/** A value of JSON as YAML that people read: block style, strings quoted only where another reading threatens. */
export function yamlText(value: unknown): string {
  return `${block(value, '').trimStart()}\n`;
}

/** Begins with a space (scalars, empty collections) or a line end. */
function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []';
    return value.map((each) => `\n${indent}-${item(each, indent)}`).join('');
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    if (entries.length === 0) return ' {}';
    return entries.map(([key, each]) => `\n${indent}${quoted(key)}:${member(each, indent)}`).join('');
  }
  return ` ${scalar(value, indent)}`;
}

/** A list below a key stays at the key's own column, as kubectl writes it. */
function member(value: unknown, indent: string): string {
  return block(value, Array.isArray(value) ? indent : indent + INDENT);
}

/** The first line of a collection in a list stands behind the dash. */
function item(value: unknown, indent: string): string {
  const text = block(value, indent + INDENT);
  return text.startsWith('\n') ? ` ${text.trimStart()}` : text;
}

function scalar(value: unknown, indent: string): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  if (!value.includes('\n') || !isBlock(value)) return quoted(value);
  const trailing = /\n*$/.exec(value)![0].length;
  const chomp = trailing === 0 ? '-' : trailing === 1 ? '' : '+';
  const lines = value.slice(0, value.length - trailing).split('\n');
  const text = lines.map((line) => (line === '' ? '' : indent + line)).join('\n');
  return `|${chomp}\n${text}${'\n'.repeat(Math.max(0, trailing - 1))}`;
}

/** Block scalars cannot say control characters, nor lines that begin with a space first of all. */
function isBlock(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[^\s]/.test(text) && !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text);
}

/** Words that YAML 1.1 or 1.2 takes for something else, and texts that look like numbers, dates or syntax. */
const OTHER = /^(~|null|true|false|yes|no|on|off|y|n|<<|=|[-+.\d].*|)$/i;
const PLAIN = /^[^\s\-?:,[\]{}#&*!|>'"%@`=<][^\n\t]*$/;

function quoted(text: string): string {
  // eslint-disable-next-line no-control-regex
  const printable = !/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text);
  const plain = printable && PLAIN.test(text) && !OTHER.test(text) && !/: |:$| #|\s$/.test(text);
  return plain ? text : JSON.stringify(text);
}
