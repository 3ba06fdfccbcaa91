import type { Page } from '@muster/api';
import { MusterError } from '@muster/base';

/** An opaque cursor over the values of a list's sort key. */
export function encodeCursor(...key: string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** Throws MusterError `invalid` for a cursor that was not made for as many values. */
export function decodeCursor(cursor: string, length: number): string[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(key) && key.length === length && key.every((part) => typeof part === 'string'))
      return key;
  } catch {
    // Falls through: anything that is not a cursor is answered alike.
  }
  throw new MusterError('invalid', 'is not a cursor of this list', { where: 'after' });
}

/**
 * One page of a list sorted by one text key: `read(count, afterKey)` reads one row more than asked for, which tells
 * whether there is a next page.
 */
export async function pageOfRows<T>(
  limit: number,
  after: string | undefined,
  read: (count: number, afterKey: string | undefined) => Promise<T[]>,
  keyOf: (row: T) => string,
): Promise<Page<T>> {
  const rows = await read(limit + 1, after === undefined ? undefined : decodeCursor(after, 1)[0]);
  return toPage(rows, limit, (row) => [keyOf(row)]);
}

/** Cuts `limit + 1` rows to a page; the cursor is made of the last row's sort key. */
export function toPage<T>(rows: T[], limit: number, keyOf: (row: T) => string[]): Page<T> {
  if (rows.length <= limit) return { items: rows };
  const items = rows.slice(0, limit);
  return { items, next: encodeCursor(...keyOf(items.at(-1)!)) };
}
