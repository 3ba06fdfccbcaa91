import { sql } from 'kysely';

// Whether a cluster `c` can be heard, as SQL that several capabilities need; `connectionOf` (clusters/lease.ts) says it of a row.

/** When its lease ends, unless it is heard before; null: it never was. */
export const LEASE_ENDS = sql<Date | null>`(c.last_seen_at + make_interval(secs => c.lease_seconds))`;

/** Its agent has a session, and its lease goes on. What has no cluster is null. */
export const IS_CONNECTED = sql<boolean>`
  (c.session_id is not null and c.last_seen_at is not null and ${LEASE_ENDS} > now())`;

/** Its lease is over, or never began. */
export const IS_SILENT = sql<boolean>`(c.last_seen_at is null or ${LEASE_ENDS} < now())`;

/** Since when it cannot be heard; null: it can be, or never was. */
export const SILENT_SINCE = sql<Date | null>`case when ${LEASE_ENDS} < now() then ${LEASE_ENDS} end`;

/** In a word. */
export const CONNECTION = sql<'never' | 'connected' | 'silent'>`
  case when c.last_seen_at is null then 'never' when ${LEASE_ENDS} >= now() then 'connected' else 'silent' end`;

/** Its lease has ended within so many seconds. */
export function endedWithin(seconds: number) {
  return sql<boolean>`${LEASE_ENDS} between now() - make_interval(secs => ${seconds}::int) and now()`;
}
