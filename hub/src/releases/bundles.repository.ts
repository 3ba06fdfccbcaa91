import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import { DATABASE } from '../store/database.ts';
import type { RenderAsked, RenderReads, Schema } from '../store/schema.ts';

export interface NewBundle {
  digest: string;
  plainSize: number;
  sealed: Buffer;
  storedSize: number;
  objectCount: number;
  inventory: readonly string[];
}

export interface NewRender {
  inputKey: string;
  baseKey: string;
  bundleDigest: string;
  reads: RenderReads;
  asked: RenderAsked;
  notices: string[];
}

export interface StoredRender extends NewRender {
  plainSize: bigint;
}

@Injectable()
export class BundlesRepository {
  constructor(@Inject(DATABASE) readonly db: Kysely<Schema>) {}

  /** Stores a bundle and the render that made it; both are content-addressed, so writing again changes nothing. */
  async store(bundle: NewBundle, render: NewRender, parts: readonly string[]): Promise<void> {
    await this.db.transaction().execute(async (trx) => {
      await sql`
        insert into bundles (digest, plain_size, stored_sealed, stored_size, object_count)
        values (${bundle.digest}, ${bundle.plainSize}, ${bundle.sealed}, ${bundle.storedSize}, ${bundle.objectCount})
        on conflict (digest) do update set referenced_at = now()
      `.execute(trx);
      await this.keepInventory(bundle.digest, bundle.inventory, trx);
      await sql`
        insert into renders (input_key, base_key, bundle_digest, reads, asked, notices)
        values (${render.inputKey}, ${render.baseKey}, ${render.bundleDigest}, ${JSON.stringify(render.reads)}::jsonb,
          ${JSON.stringify(render.asked)}::jsonb, ${JSON.stringify(render.notices)}::jsonb)
        on conflict (input_key) do nothing
      `.execute(trx);
      if (parts.length === 0) return;
      await sql`
        insert into bundle_parts (bundle_digest, part_digest) select distinct ${bundle.digest}, * from unnest(${parts}::text[])
        on conflict do nothing
      `.execute(trx);
    });
  }

  /** Keeps which objects a bundle holds; once is enough. */
  async keepInventory(
    digest: string,
    identities: readonly string[],
    db: Kysely<Schema> = this.db,
  ): Promise<void> {
    await sql`
      insert into bundle_inventories (bundle_digest, identities) values (${digest}, ${identities}::text[])
      on conflict (bundle_digest) do nothing
    `.execute(db);
  }

  /** Those of the bundles whose objects are not noted. */
  async withoutInventory(db: Kysely<Schema>, digests: readonly string[]): Promise<string[]> {
    const { rows } = await sql<{ digest: string }>`
      select digest from bundles where digest = any(${digests}::text[])
        and not exists (select from bundle_inventories where bundle_digest = digest)
    `.execute(db);
    return rows.map(({ digest }) => digest);
  }

  /** Objects that each first bundle has and the second has not: how many, and the first `most` of them. */
  async removals(
    db: Kysely<Schema>,
    pairs: readonly { from: string; to: string }[],
    most: number,
  ): Promise<{ from: string; to: string; count: number; names: string[] }[]> {
    if (pairs.length === 0) return [];
    const { rows } = await sql<{ from: string; to: string; count: number; names: string[] }>`
      select p."from", p."to", cardinality(gone.names) as count, gone.names[1:${most}] as names
      from unnest(${pairs.map((one) => one.from)}::text[], ${pairs.map((one) => one.to)}::text[]) as p ("from", "to")
      join bundle_inventories a on a.bundle_digest = p."from"
      join bundle_inventories b on b.bundle_digest = p."to"
      cross join lateral (
        select array(select unnest(a.identities) except select unnest(b.identities) order by 1) as names
      ) as gone
    `.execute(db);
    return rows;
  }

  /** Objects of some bundles that are in none of the others, by kind and name, whatever their namespaces. */
  async missing(
    from: readonly string[],
    to: readonly string[],
    most: number,
  ): Promise<{ count: number; names: string[] }> {
    const { rows } = await sql<{ count: number; names: string[] }>`
      with named as (
        select i.bundle_digest, identity, split_part(identity, '/', 1) || '/' || split_part(identity, '/', 2) || '/' || split_part(identity, '/', 4) as key
        from bundle_inventories i cross join lateral unnest(i.identities) as identity
        where i.bundle_digest = any(${[...from, ...to]}::text[])
      ), gone as (
        select array(
          select distinct identity from named where bundle_digest = any(${from}::text[])
            and key not in (select key from named where bundle_digest = any(${to}::text[])) order by 1
        ) as names
      )
      select cardinality(names) as count, names[1:${most}] as names from gone
    `.execute(this.db);
    return rows[0]!;
  }

  /** The newest renders of each base key, at most `each`. */
  async renders(baseKeys: readonly string[], each: number): Promise<StoredRender[]> {
    if (baseKeys.length === 0) return [];
    const { rows } = await sql<{
      input_key: string;
      base_key: string;
      bundle_digest: string;
      reads: RenderReads;
      asked: RenderAsked;
      notices: string[];
      plain_size: bigint;
    }>`
      select recent.*, bundles.plain_size
      from unnest(${[...new Set(baseKeys)]}::text[]) as wanted (base_key)
      cross join lateral (
        select input_key, base_key, bundle_digest, reads, asked, notices from renders
        where renders.base_key = wanted.base_key order by created_at desc limit ${each}
      ) as recent
      join bundles on bundles.digest = recent.bundle_digest
    `.execute(this.db);
    return rows.map((row) => ({
      inputKey: row.input_key,
      baseKey: row.base_key,
      bundleDigest: row.bundle_digest,
      reads: row.reads,
      asked: row.asked,
      notices: row.notices,
      plainSize: row.plain_size,
    }));
  }

  async find(digest: string): Promise<{ sealed: Buffer; plainSize: bigint; storedSize: bigint } | undefined> {
    const row = await this.db
      .selectFrom('bundles')
      .select(['stored_sealed', 'plain_size', 'stored_size'])
      .where('digest', '=', digest)
      .executeTakeFirst();
    return row && { sealed: row.stored_sealed, plainSize: row.plain_size, storedSize: row.stored_size };
  }

  /** Those of bundles and clusters of which one is assigned the other: nothing else may be fetched. */
  async assignedAmong(
    wanted: readonly { clusterId: string; digest: string }[],
  ): Promise<{ clusterId: string; digest: string }[]> {
    const { rows } = await sql<{ cluster_id: string; bundle_digest: string }>`
      select distinct cluster_id, bundle_digest
      from unnest(${wanted.map(({ clusterId }) => clusterId)}::uuid[], ${wanted.map(({ digest }) => digest)}::text[])
        as wanted (cluster_id, bundle_digest)
      join assignments using (cluster_id, bundle_digest) where action = 'apply'
    `.execute(this.db);
    return rows.map((row) => ({ clusterId: row.cluster_id, digest: row.bundle_digest }));
  }

  /** Deletes bundles, renders and contents that nothing has referred to for a day; answers how many bundles went. */
  async sweep(keepReleases: number): Promise<number> {
    await sql`
      delete from releases using (
        select id, row_number() over (partition by owner_id order by number desc) as age from releases
      ) as ranked where ranked.id = releases.id and ranked.age > ${keepReleases}
        and not exists (select from rollouts where to_release = releases.id and ended_at is null)
    `.execute(this.db);
    const { numAffectedRows } = await sql`
      delete from bundles where referenced_at < now() - interval '1 day'
        and not exists (select from assignments where bundle_digest = bundles.digest)
        and not exists (select from applications where bundle_digest = bundles.digest)
        and not exists (select from roots where bundle_digest = bundles.digest)
        and not exists (select from bundle_parts where part_digest = bundles.digest)
        and not exists (select from release_targets where bundle_digest = bundles.digest)
        and not exists (select from target_holds where bundle_digest = bundles.digest)
        and not exists (select from target_proofs where bundle_digest = bundles.digest)
        and not exists (select from rollout_targets where live and proven_bundle = bundles.digest)
        and not exists (select from departed_applications where bundle_digest = bundles.digest and decided_at > now() - interval '7 days')
    `.execute(this.db);
    await sql`
      delete from assignment_contents where created_at < now() - interval '1 day'
        and not exists (select from assignments where assignment_digest = digest)
        and not exists (select from release_targets where assignment_digest = digest)
        and not exists (select from target_holds where assignment_digest = digest)
        and not exists (select from target_proofs where assignment_digest = digest)
        and not exists (select from rollout_targets where live and proven_digest = digest)
        and not exists (select from departed_applications where assignment_digest = digest and decided_at > now() - interval '7 days')
    `.execute(this.db);
    await sql`delete from departed_applications where decided_at < now() - interval '30 days' and gone_at is not null`.execute(
      this.db,
    );
    return Number(numAffectedRows ?? 0n);
  }
}
