import { Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { Trx } from '../store/schema.ts';

/** An Application of a set as far as it decides on what an expansion does with it. */
export interface ChangedApplication {
  name: string;
  hash: string;
  /** Leaving, or its removal signed. */
  going: boolean;
}

/** SQL over `applications.changed`; migration 0007 says how its numbers are read. */
@Injectable()
export class ApplicationChangesRepository {
  /** Where to read on from after a read that begins now, and the number of the transaction itself. */
  async position(trx: Trx): Promise<{ at: string; own: string }> {
    const { rows } = await sql<{ at: string; own: string }>`
      select pg_snapshot_xmin(pg_current_snapshot())::text as at, pg_current_xact_id()::text as own`.execute(
      trx,
    );
    return rows[0]!;
  }

  /** The Applications of a set that may have changed since a position, but not by one transaction; and how many it has. */
  async since(
    trx: Trx,
    setId: string,
    position: string,
    except: string,
  ): Promise<{ total: number; changed: ChangedApplication[] }> {
    const { rows } = await sql<{ total: number; name: string | null; hash: string; going: boolean }>`
      select (select count(*)::int from applications where set_id = ${setId}) as total, a.name, a.manifest_hash as hash,
        a.leaving_at is not null or a.tombstoned_at is not null as going
      from (select) as one left join applications a on a.set_id = ${setId}
        and a.changed >= ${position}::xid8 and a.changed < pg_snapshot_xmax(pg_current_snapshot())
        and a.changed <> ${except}::xid8
    `.execute(trx);
    return {
      total: rows[0]!.total,
      changed: rows.flatMap(({ name, hash, going }) => (name === null ? [] : [{ name, hash, going }])),
    };
  }
}
