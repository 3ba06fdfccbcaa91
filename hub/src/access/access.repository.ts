import type { ApiToken, Group, RoleBinding, User } from '@muster/api';
import { type Kysely, sql } from 'kysely';
import type { Db } from '../store/database.ts';
import type { Schema, Trx } from '../store/schema.ts';
import type { Grant } from './roles.ts';

/** A user as a credential identified them. */
export interface Identity {
  userId: string;
  userName: string;
  grants: Grant[];
  sessionId?: string;
  expiresAt?: Date | undefined;
  token?: { id: string; name: string; role: string | null; project: string | null };
}

const grantsOf = (user: ReturnType<typeof sql.ref>) => sql<Grant[]>`
  coalesce((
    select jsonb_agg(distinct jsonb_build_object('role', b.role, 'project', b.project))
    from role_bindings b
    where b.user_id = ${user} or b.group_id in (select m.group_id from group_members m where m.user_id = ${user})
  ), '[]'::jsonb)`;

/** The SQL over users, groups, bindings, tokens and login sessions. */
export class AccessRepository {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  transaction<T>(run: (trx: Trx) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(run);
  }

  async bySession(tokenHash: Buffer): Promise<Identity | undefined> {
    const row = await this.#db
      .selectFrom('login_sessions as s')
      .innerJoin('users as u', 'u.id', 's.user_id')
      .select(['u.id as userId', 'u.name as userName', 's.id as sessionId', 's.expires_at as expiresAt'])
      .select(grantsOf(sql.ref('u.id')).as('grants'))
      .where('s.token_hash', '=', tokenHash)
      .where('s.expires_at', '>', sql<Date>`now()`)
      .where('u.disabled_at', 'is', null)
      .executeTakeFirst();
    return row;
  }

  async byToken(tokenHash: Buffer): Promise<Identity | undefined> {
    const row = await this.#db
      .selectFrom('api_tokens as t')
      .innerJoin('users as u', 'u.id', 't.user_id')
      .select(['u.id as userId', 'u.name as userName', 't.id', 't.name', 't.role', 't.project'])
      .select(['t.expires_at as expiresAt', grantsOf(sql.ref('u.id')).as('grants')])
      .where('t.token_hash', '=', tokenHash)
      .where((eb) => eb.or([eb('t.expires_at', 'is', null), eb('t.expires_at', '>', sql<Date>`now()`)]))
      .where('u.disabled_at', 'is', null)
      .executeTakeFirst();
    if (!row) return undefined;
    await this.#db
      .updateTable('api_tokens')
      .set({ last_used_at: sql`now()` })
      .where('id', '=', row.id)
      .where((eb) =>
        eb.or([
          eb('last_used_at', 'is', null),
          eb('last_used_at', '<', sql<Date>`now() - interval '1 minute'`),
        ]),
      )
      .execute();
    const { userId, userName, grants, expiresAt, ...token } = row;
    return { userId, userName, grants, expiresAt: expiresAt ?? undefined, token };
  }

  async credentials(name: string) {
    return this.#db
      .selectFrom('users')
      .select(['id', 'name', 'password_hash', 'disabled_at'])
      .where('name', '=', name)
      .executeTakeFirst();
  }

  async createSession(db: Kysely<Schema>, userId: string, tokenHash: Buffer, expiresAt: Date): Promise<void> {
    await db
      .insertInto('login_sessions')
      .values({ user_id: userId, token_hash: tokenHash, expires_at: expiresAt })
      .execute();
  }

  async deleteSession(id: string): Promise<void> {
    await this.#db.deleteFrom('login_sessions').where('id', '=', id).execute();
  }

  /** Ends every login of a user but one. */
  async deleteSessionsOf(db: Kysely<Schema>, userId: string, except?: string): Promise<void> {
    let query = db.deleteFrom('login_sessions').where('user_id', '=', userId);
    if (except) query = query.where('id', '!=', except);
    await query.execute();
  }

  async deleteExpiredSessions(): Promise<void> {
    await this.#db.deleteFrom('login_sessions').where('expires_at', '<', sql<Date>`now()`).execute();
  }

  async hasUsers(db: Kysely<Schema>): Promise<boolean> {
    return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
  }

  /** Held until the transaction ends: first start, and checks that an admin remains. */
  async lock(trx: Trx): Promise<void> {
    await sql`select pg_advisory_xact_lock(7305512)`.execute(trx);
  }

  async adminCount(trx: Trx): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      select count(distinct u.id)::int as count from users u
      left join group_members m on m.user_id = u.id
      join role_bindings b on b.user_id = u.id or b.group_id = m.group_id
      where b.role = 'admin' and b.project = '*' and u.disabled_at is null`.execute(trx);
    return rows[0]!.count;
  }

  async createUser(trx: Trx, name: string, passwordHash: string | null): Promise<string | undefined> {
    const row = await trx
      .insertInto('users')
      .values({ name, password_hash: passwordHash })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    return row?.id;
  }

  async updateUser(
    trx: Trx,
    id: string,
    change: { password_hash?: string; disabled_at?: Date | null },
  ): Promise<void> {
    if (Object.keys(change).length > 0)
      await trx.updateTable('users').set(change).where('id', '=', id).execute();
  }

  async deleteUser(trx: Trx, id: string): Promise<void> {
    await trx.deleteFrom('users').where('id', '=', id).execute();
  }

  async users(limit: number, after: string | undefined, name?: string): Promise<User[]> {
    let query = this.#db
      .selectFrom('users as u')
      .select(['u.id', 'u.name', 'u.disabled_at', 'u.created_at'])
      .select(
        sql<string[]>`coalesce((select array_agg(g.name order by g.name) from group_members m
          join groups g on g.id = m.group_id where m.user_id = u.id), '{}')`.as('groups'),
      )
      .orderBy('u.name')
      .limit(limit);
    if (after !== undefined) query = query.where('u.name', '>', after);
    if (name !== undefined) query = query.where('u.name', '=', name);
    return (await query.execute()).map(({ id, name: userName, disabled_at, created_at, groups }) => ({
      id,
      name: userName,
      disabled: disabled_at !== null,
      groups,
      createdAt: created_at.toISOString(),
    }));
  }

  async userIds(db: Kysely<Schema>, names: readonly string[]): Promise<Map<string, string>> {
    if (names.length === 0) return new Map();
    const rows = await db.selectFrom('users').select(['id', 'name']).where('name', 'in', names).execute();
    return new Map(rows.map(({ id, name }) => [name, id]));
  }

  async groups(limit: number, after: string | undefined, name?: string): Promise<Group[]> {
    let query = this.#db
      .selectFrom('groups as g')
      .select(['g.id', 'g.name', 'g.created_at'])
      .select(
        sql<string[]>`coalesce((select array_agg(u.name order by u.name) from group_members m
          join users u on u.id = m.user_id where m.group_id = g.id), '{}')`.as('members'),
      )
      .orderBy('g.name')
      .limit(limit);
    if (after !== undefined) query = query.where('g.name', '>', after);
    if (name !== undefined) query = query.where('g.name', '=', name);
    return (await query.execute()).map(({ id, name: groupName, members, created_at }) => ({
      id,
      name: groupName,
      members,
      createdAt: created_at.toISOString(),
    }));
  }

  async createGroup(trx: Trx, name: string): Promise<string | undefined> {
    const row = await trx
      .insertInto('groups')
      .values({ name })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    return row?.id;
  }

  async setMembers(trx: Trx, groupId: string, userIds: readonly string[]): Promise<void> {
    await trx.deleteFrom('group_members').where('group_id', '=', groupId).execute();
    if (userIds.length === 0) return;
    await sql`insert into group_members (group_id, user_id)
      select ${groupId}::uuid, unnest(${userIds}::uuid[])`.execute(trx);
  }

  async deleteGroup(trx: Trx, id: string): Promise<void> {
    await trx.deleteFrom('groups').where('id', '=', id).execute();
  }

  async bindings(limit: number, after: string | undefined): Promise<RoleBinding[]> {
    let query = this.#db
      .selectFrom('role_bindings as b')
      .leftJoin('users as u', 'u.id', 'b.user_id')
      .leftJoin('groups as g', 'g.id', 'b.group_id')
      .select(['b.id', 'b.role', 'b.project', 'u.name as user', 'g.name as group'])
      .orderBy('b.id')
      .limit(limit);
    if (after !== undefined) query = query.where('b.id', '>', after);
    return (await query.execute()).map(({ id, role, project, user, group }) => ({
      id,
      role: role as RoleBinding['role'],
      project,
      ...(user !== null && { user }),
      ...(group !== null && { group }),
    }));
  }

  async createBinding(
    trx: Trx,
    binding: { user_id: string | null; group_id: string | null; role: string; project: string },
  ): Promise<string | undefined> {
    const row = await trx
      .insertInto('role_bindings')
      .values(binding)
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    return row?.id;
  }

  async deleteBinding(trx: Trx, id: string): Promise<{ role: string; project: string } | undefined> {
    return trx
      .deleteFrom('role_bindings')
      .where('id', '=', id)
      .returning(['role', 'project'])
      .executeTakeFirst();
  }

  async tokens(limit: number, after: string | undefined, userId?: string): Promise<ApiToken[]> {
    let query = this.#db
      .selectFrom('api_tokens as t')
      .innerJoin('users as u', 'u.id', 't.user_id')
      .select(['t.id', 't.name', 't.role', 't.project', 't.expires_at', 't.last_used_at', 't.created_at'])
      .select('u.name as user')
      .orderBy('t.id')
      .limit(limit);
    if (after !== undefined) query = query.where('t.id', '>', after);
    if (userId !== undefined) query = query.where('t.user_id', '=', userId);
    return (await query.execute()).map((row) => ({
      id: row.id,
      name: row.name,
      user: row.user,
      ...(row.role !== null && { role: row.role as NonNullable<ApiToken['role']> }),
      ...(row.project !== null && { project: row.project }),
      ...(row.expires_at && { expiresAt: row.expires_at.toISOString() }),
      ...(row.last_used_at && { lastUsedAt: row.last_used_at.toISOString() }),
      createdAt: row.created_at.toISOString(),
    }));
  }

  async createToken(
    trx: Trx,
    token: {
      user_id: string;
      name: string;
      token_hash: Buffer;
      role: string | null;
      project: string | null;
      expires_at: Date | null;
    },
  ): Promise<{ id: string; created_at: Date } | undefined> {
    return trx
      .insertInto('api_tokens')
      .values(token)
      .onConflict((conflict) => conflict.columns(['user_id', 'name']).doNothing())
      .returning(['id', 'created_at'])
      .executeTakeFirst();
  }

  /** Deletes a token; with `userId` only one of that user. */
  async deleteToken(trx: Trx, id: string, userId: string | undefined): Promise<{ name: string } | undefined> {
    let query = trx.deleteFrom('api_tokens').where('id', '=', id);
    if (userId !== undefined) query = query.where('user_id', '=', userId);
    return query.returning('name').executeTakeFirst();
  }
}
