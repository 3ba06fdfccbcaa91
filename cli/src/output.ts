import { stringify } from '@muster/base';
import { UsageError } from './exit.ts';
import type { Terminal } from './terminal.ts';

export const FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

export function parseFormat(text: string): Format {
  if ((FORMATS as readonly string[]).includes(text)) return text as Format;
  throw new UsageError(`-o ${text} is not known`, FORMATS.join(', '));
}

/** A column of a table. */
export interface Column<T> {
  title: string;
  value: (item: T) => string | number | undefined;
  /** Only with `-o wide`. */
  wide?: true;
  paint?: Paint;
}

export type Paint = (text: string) => string;

/** How lists of one kind are shown. */
export interface View<T> {
  columns: Column<T>[];
  /** What commands take as its name. */
  name: (item: T) => string;
}

/** Writes a list in the format asked for; JSON and YAML are plain lists. */
export function printList<T>(
  terminal: Terminal,
  format: Format,
  items: T[],
  view: View<T>,
  empty = 'None.',
): void {
  if (format === 'json') return terminal.out(JSON.stringify(items, null, 2));
  if (format === 'yaml') return terminal.out(stringify(items).trimEnd());
  if (format === 'name') return items.forEach((item) => terminal.out(view.name(item)));
  if (items.length === 0) return terminal.note(empty);
  const columns = view.columns.filter(({ wide }) => !wide || format === 'wide');
  terminal.out(table(items, columns, terminal.colour));
}

/** Writes one object; `details` is what people see. */
export function printOne<T>(
  terminal: Terminal,
  format: Format,
  item: T,
  name: string,
  details: () => string,
): void {
  if (format === 'json') return terminal.out(JSON.stringify(item, null, 2));
  if (format === 'yaml') return terminal.out(stringify(item).trimEnd());
  terminal.out(format === 'name' ? name : details());
}

/** Rows under titles, three spaces apart, no trailing space. */
export function table<T>(items: readonly T[], columns: readonly Column<T>[], colour: boolean): string {
  const rows = items.map((item) => columns.map(({ value }) => cell(value(item))));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: string[], paint: boolean) =>
    cells
      .map((text, i) => {
        const padded = i === cells.length - 1 ? text : text.padEnd(widths[i]!);
        const painter = paint && colour ? columns[i]!.paint : undefined;
        return painter ? padded.replace(text, painter(text)) : padded;
      })
      .join('   ')
      .trimEnd();
  return [
    line(
      columns.map(({ title }) => title),
      false,
    ),
    ...rows.map((row) => line(row, true)),
  ].join('\n');
}

/** One line, no control characters: text from elsewhere must not steer the terminal. */
function cell(value: string | number | undefined): string {
  const text = String(value ?? '');
  return text === '' ? '-' : plain(text);
}

/** Without what steers a terminal. */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

/** `Name:   value` lines; what is undefined or empty is left out. */
export function fields(pairs: [string, string | undefined][], indent = ''): string {
  const given = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${indent}${`${name}:`.padEnd(width + 3)}${plain(value!)}`).join('\n');
}

const colours = { red: 31, green: 32, yellow: 33, blue: 34, grey: 90 } as const;

export function paint(colour: keyof typeof colours): Paint {
  return (text) => `\u001b[${colours[colour]}m${text}\u001b[0m`;
}

const WORDS: Record<string, keyof typeof colours> = {
  Synced: 'green',
  Healthy: 'green',
  Succeeded: 'green',
  succeeded: 'green',
  active: 'green',
  connected: 'green',
  OutOfSync: 'yellow',
  Progressing: 'blue',
  Running: 'blue',
  running: 'blue',
  completed: 'green',
  done: 'green',
  healthy: 'green',
  restored: 'green',
  'rolling-back': 'yellow',
  'rolled-back': 'yellow',
  aborted: 'yellow',
  superseded: 'grey',
  pending: 'yellow',
  recovered: 'yellow',
  removing: 'yellow',
  Suspended: 'yellow',
  Missing: 'yellow',
  Degraded: 'red',
  Failed: 'red',
  Error: 'red',
  failed: 'red',
  refused: 'red',
  silent: 'red',
  Unknown: 'grey',
  never: 'grey',
};

/** Paints the words of states; others stay. */
export const paintState: Paint = (text) => {
  const colour = WORDS[text.split(' ', 1)[0]!];
  return colour ? paint(colour)(text) : text;
};

/** `5s`, `12m`, `3h`, `9d`: how long ago, as kubectl writes it. Empty for no time. */
export function age(time: string | number | undefined, now: number): string {
  if (time === undefined) return '';
  const seconds = Math.max(0, Math.round((now - new Date(time).getTime()) / 1000));
  if (Number.isNaN(seconds)) return '';
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `a=b,c=d` in key order. */
export function labelText(labels: Record<string, string>): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key]}`)
    .join(',');
}

/** A manifest with its members where people look for them. */
export function inUsualOrder(manifest: Record<string, unknown>): Record<string, unknown> {
  const { apiVersion, kind, metadata, spec, ...rest } = manifest;
  return { apiVersion, kind, metadata, spec, ...rest };
}
