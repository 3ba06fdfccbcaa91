import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { ApplicationCondition, Row, RootSyncRequest, Schema, Trx } from '../store/schema.ts';
import type { Authority, ChildName } from './child.ts';

export type RootRow = Row<'roots'>;
export type ChildRow = Row<'root_children'>;

/** What rendering found for the hub. */
export interface RenderedRoot {
  applicationId: string;
  digest: string;
  commit: string;
  version: bigint;
}

/** What is shown of a root after a run. */
export interface RootStatus {
  sync: string;
  health: string;
  healthMessage: string;
  conditions: ApplicationCondition[];
  resources: Record<string, unknown>;
  operation: Record<string, unknown> | null;
  syncedDigest: string | null;
}

/** A document as its root applied it. */
export interface AppliedChild extends ChildName {
  hash: string;
  wave: number;
  options: readonly string[];
}

/** SQL over `roots`, `root_children` and `root_authorities`. */
@Injectable()
export class RootsRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  find(id: string, db: Kysely<Schema> = this.db): Promise<RootRow | undefined> {
    return db.selectFrom('roots').selectAll().where('application_id', '=', id).executeTakeFirst();
  }

  lock(trx: Trx, id: string): Promise<RootRow | undefined> {
    return trx
      .selectFrom('roots')
      .selectAll()
      .where('application_id', '=', id)
      .forUpdate()
      .executeTakeFirst();
  }

  children(id: string, db: Kysely<Schema> = this.db): Promise<ChildRow[]> {
    return db.selectFrom('root_children').selectAll().where('root_id', '=', id).execute();
  }

  /** Writes what was rendered for the hub; answers the roots that are different now. */
  async rendered(trx: Trx, roots: readonly RenderedRoot[]): Promise<string[]> {
    if (roots.length === 0) return [];
    const { rows } = await sql<{ application_id: string }>`
      insert into roots (application_id, bundle_digest, commit, spec_version)
      select * from unnest(${roots.map((one) => one.applicationId)}::uuid[], ${roots.map((one) => one.digest)}::text[],
        ${roots.map((one) => one.commit)}::text[], ${roots.map((one) => String(one.version))}::bigint[])
      on conflict (application_id) do update set bundle_digest = excluded.bundle_digest, commit = excluded.commit,
        spec_version = excluded.spec_version
      where (roots.bundle_digest, roots.commit, roots.spec_version)
        is distinct from (excluded.bundle_digest, excluded.commit, excluded.spec_version)
      returning application_id
    `.execute(trx);
    return rows.map((row) => row.application_id);
  }

  /** Applications that deploy to the hub no longer: what they made stays, and belongs to nobody. */
  async elsewhere(trx: Trx, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await sql`
      with gone as (delete from roots where application_id = any(${ids}::uuid[]) returning application_id)
      delete from root_children where root_id in (select application_id from gone)
    `.execute(trx);
  }

  /** Of Applications that are due to be uninstalled: marks the roots with children and keeps them until those are gone. */
  async removing(trx: Trx, ids: readonly string[], reason: string): Promise<string[]> {
    if (ids.length === 0) return [];
    const { rows } = await sql<{ id: string }>`
      with marked as (
        update roots set removing = true where application_id = any(${ids}::uuid[]) and exists (
          select from root_children c join applications a on a.id = c.root_id
          where c.root_id = roots.application_id and not c.detached and c.gone_at is null
            and (c.kind, c.namespace, c.name) <> ('Application', a.namespace, a.name))
        returning application_id
      )
      update applications set held_reason = ${reason} where id in (select application_id from marked) returning id
    `.execute(trx);
    return rows.map((row) => row.id);
  }

  /** Ends the wait of a root for its children; answers whether it still leaves. */
  async removed(trx: Trx, id: string): Promise<boolean> {
    await sql`update roots set removing = false where application_id = ${id}`.execute(trx);
    const { numAffectedRows } = await sql`
      update applications set held_reason = null where id = ${id} and leaving_at is not null and tombstoned_at is null
    `.execute(trx);
    return (numAffectedRows ?? 0n) > 0n;
  }

  async status(trx: Trx, id: string, status: RootStatus): Promise<void> {
    await sql`
      update roots set
        sync_since = case when sync = ${status.sync} then sync_since else now() end,
        health_since = case when health = ${status.health} then health_since else now() end,
        sync = ${status.sync}, health = ${status.health}, health_message = ${status.healthMessage},
        conditions = ${JSON.stringify(status.conditions)}::jsonb, resources = ${JSON.stringify(status.resources)}::jsonb,
        operation = ${status.operation === null ? null : JSON.stringify(status.operation)}::jsonb,
        synced_digest = ${status.syncedDigest}, observed_at = now()
      where application_id = ${id}
    `.execute(trx);
  }

  async request(trx: Trx, id: string, request: RootSyncRequest | null): Promise<void> {
    await trx
      .updateTable('roots')
      .set({ sync_request: request === null ? null : JSON.stringify(request) })
      .where('application_id', '=', id)
      .execute();
  }

  /** Remembers what a root applied. False: the child is another root's. */
  async own(trx: Trx, rootId: string, child: AppliedChild): Promise<boolean> {
    const { rows } = await sql`
      insert into root_children (kind, namespace, name, root_id, applied_hash, wave, options)
      values (${child.kind}, ${child.namespace}, ${child.name}, ${rootId}, ${child.hash}, ${child.wave}, ${child.options}::text[])
      on conflict (kind, namespace, name) do update set root_id = excluded.root_id, applied_hash = excluded.applied_hash,
        wave = excluded.wave, options = excluded.options, applied_at = now(), leaving_at = null, counted = 0,
        held_reason = null, detached = false, gone_at = null
      where root_children.root_id = excluded.root_id or root_children.detached or root_children.gone_at is not null
      returning name
    `.execute(trx);
    return rows.length > 0;
  }

  async leaving(
    trx: Trx,
    child: ChildName,
    { counted, heldReason }: { counted: number; heldReason: string | null },
  ): Promise<void> {
    await sql`
      update root_children set leaving_at = coalesce(leaving_at, now()), counted = ${counted}, held_reason = ${heldReason}
      where kind = ${child.kind} and namespace = ${child.namespace} and name = ${child.name}
    `.execute(trx);
  }

  async detach(trx: Trx, children: readonly ChildName[]): Promise<void> {
    await this.#each(trx, sql`detached = true, leaving_at = null, held_reason = null, counted = 0`, children);
  }

  /** Children that are no more; what their removal drew from the budget counts for a day. */
  async gone(trx: Trx, children: readonly ChildName[]): Promise<void> {
    await this.#each(trx, sql`gone_at = now(), held_reason = null`, children);
  }

  async #each(trx: Trx, set: ReturnType<typeof sql>, children: readonly ChildName[]): Promise<void> {
    if (children.length === 0) return;
    await sql`
      update root_children set ${set} where (kind, namespace, name) in (select * from unnest(
        ${children.map((one) => one.kind)}::text[], ${children.map((one) => one.namespace)}::text[], ${children.map((one) => one.name)}::text[]))
    `.execute(trx);
  }

  /** Forgets what went more than a day ago. */
  async forgetGone(trx: Trx, rootId: string): Promise<void> {
    await sql`delete from root_children where root_id = ${rootId} and gone_at < now() - interval '24 hours'`.execute(
      trx,
    );
  }

  /** Records an applied bundle for the history of its root, and later that it became healthy. */
  async deployed(
    trx: Trx,
    root: { id: string; namespace: string; name: string },
    hub: string,
  ): Promise<void> {
    await sql`
      insert into deployments (cluster_id, application_namespace, application_name, epoch, generation, bundle_digest, commit, applied_at, healthy_at)
      select ${hub}::uuid, ${root.namespace}, ${root.name}, 0,
        coalesce((select max(generation) from deployments where cluster_id = ${hub}::uuid
          and application_namespace = ${root.namespace} and application_name = ${root.name}), 0) + 1,
        r.bundle_digest, r.commit, now(), case when r.health = 'Healthy' then now() end
      from roots r where r.application_id = ${root.id}
    `.execute(trx);
  }

  async becameHealthy(trx: Trx, root: { namespace: string; name: string }, hub: string): Promise<void> {
    await sql`
      update deployments set healthy_at = now() where id = (
        select id from deployments where cluster_id = ${hub}::uuid and application_namespace = ${root.namespace}
          and application_name = ${root.name} order by id desc limit 1) and healthy_at is null
    `.execute(trx);
  }

  // ---- authority ----

  async recordAuthority(trx: Trx, ownerId: string, authority: Authority): Promise<void> {
    const projects = authority.operatorIn === '*' ? ['*'] : authority.operatorIn;
    await sql`
      insert into root_authorities (owner_id, actor, operator_in, admin)
      values (${ownerId}, ${authority.actor}, ${projects}::text[], ${authority.admin})
      on conflict (owner_id) do update set actor = excluded.actor, operator_in = excluded.operator_in,
        admin = excluded.admin, recorded_at = now()
      where (root_authorities.actor, root_authorities.operator_in, root_authorities.admin)
        is distinct from (excluded.actor, excluded.operator_in, excluded.admin)
    `.execute(trx);
  }

  async authority(ownerId: string, db: Kysely<Schema> = this.db): Promise<Authority | undefined> {
    const row = await db
      .selectFrom('root_authorities')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .executeTakeFirst();
    if (!row) return undefined;
    return {
      actor: row.actor,
      operatorIn: row.operator_in.includes('*') ? '*' : row.operator_in,
      admin: row.admin,
    };
  }

  async forgetAuthorities(trx: Trx): Promise<void> {
    await sql`
      delete from root_authorities where recorded_at < now() - interval '1 day'
        and not exists (select from applications where id = owner_id)
        and not exists (select from application_sets where id = owner_id)
    `.execute(trx);
  }

  /** Whose child an Application is: its root, and the set that made it, which may be a root's child itself. */
  async parents(
    applicationId: string,
    db: Kysely<Schema> = this.db,
  ): Promise<
    { setId: string | null; rootId: string | null; setRootId: string | null; project: string } | undefined
  > {
    const { rows } = await sql<{
      setId: string | null;
      rootId: string | null;
      setRootId: string | null;
      project: string;
    }>`
      select a.set_id as "setId", c.root_id as "rootId", sc.root_id as "setRootId", a.project
      from applications a
      left join root_children c on c.kind = 'Application' and c.namespace = a.namespace and c.name = a.name
        and not c.detached and c.gone_at is null and c.root_id <> a.id
      left join application_sets s on s.id = a.set_id
      left join root_children sc on sc.kind = 'ApplicationSet' and sc.namespace = s.namespace and sc.name = s.name
        and not sc.detached and sc.gone_at is null
      where a.id = ${applicationId}
    `.execute(db);
    return rows[0];
  }
}
