import { createHash } from 'node:crypto';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/**
 * JSON with sorted keys and no white space: equal values give equal text (RFC 8785 order by UTF-16
 * code units; numbers as ECMAScript prints them). `undefined` members are left out.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member;
    const source = member as Record<string, unknown>;
    const keys = Object.keys(source);
    let sorted = true;
    for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) sorted = false;
    if (sorted && !keys.some(isIndexLike)) return source;
    // Object.create(null) keeps `__proto__` an ordinary key.
    const out: Record<string, unknown> = Object.create(null);
    for (const key of keys.sort()) out[key] = source[key];
    return out;
  });
}

/** Integer-like keys come first in any object whatever order they were set in; the order is total all the same. */
function isIndexLike(key: string): boolean {
  return key.length > 0 && key.length < 11 && /^(0|[1-9]\d*)$/.test(key);
}

/** Lower-case hex SHA-256 of bytes or of UTF-8 text. */
export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}
