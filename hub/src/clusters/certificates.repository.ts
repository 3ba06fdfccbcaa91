import { Inject, Injectable } from '@nestjs/common';
import { type Kysely, sql } from 'kysely';
import type { IssuedCertificate } from '../keys/certificate-authority.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { Row, Schema, Trx } from '../store/schema.ts';

/** A certificate of ours as a peer showed it. */
export interface PresentedCertificate {
  clusterId: string;
  serial: string;
  fingerprint: Buffer;
  notBefore: Date;
  notAfter: Date;
}

/** SQL over `certificates`: what was issued, and what is revoked whatever becomes of its cluster. */
@Injectable()
export class CertificatesRepository {
  readonly #db: Db;

  constructor(@Inject(DATABASE) db: Db) {
    this.#db = db;
  }

  async record(clusterId: string, issued: IssuedCertificate, db: Kysely<Schema> = this.#db): Promise<void> {
    await db
      .insertInto('certificates')
      .values({
        serial: issued.serial,
        cluster_id: clusterId,
        fingerprint: issued.fingerprint,
        not_before: issued.notBefore,
        not_after: issued.notAfter,
      })
      .execute();
  }

  /** A certificate that was issued before the database was lost. Known from now on, so that it can be revoked. */
  async remember(certificate: PresentedCertificate): Promise<void> {
    await this.#db
      .insertInto('certificates')
      .values({
        serial: certificate.serial,
        cluster_id: certificate.clusterId,
        fingerprint: certificate.fingerprint,
        not_before: certificate.notBefore,
        not_after: certificate.notAfter,
      })
      .onConflict((conflict) => conflict.column('serial').doNothing())
      .execute();
  }

  find(serial: string): Promise<Row<'certificates'> | undefined> {
    return this.#db.selectFrom('certificates').selectAll().where('serial', '=', serial).executeTakeFirst();
  }

  async unrevokedAmong(serials: readonly string[]): Promise<Set<string>> {
    const rows = await this.#db
      .selectFrom('certificates')
      .select('serial')
      .where('serial', '=', sql<string>`any(${serials}::text[])`)
      .where('revoked_at', 'is', null)
      .execute();
    return new Set(rows.map((row) => row.serial));
  }

  async revokedAmong(serials: string[]): Promise<Map<string, string>> {
    const rows = await this.#db
      .selectFrom('certificates')
      .select(['serial', 'revoked_reason'])
      .where('serial', '=', sql<string>`any(${serials}::text[])`)
      .where('revoked_at', 'is not', null)
      .execute();
    return new Map(rows.map((row) => [row.serial, row.revoked_reason ?? '']));
  }

  /** Revokes all certificates of a cluster that are not revoked yet. */
  async revokeAll(trx: Trx, clusterId: string, reason: string): Promise<number> {
    const done = await trx
      .updateTable('certificates')
      .set({ revoked_at: sql<Date>`now()`, revoked_reason: reason })
      .where('cluster_id', '=', clusterId)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    await trx
      .updateTable('clusters')
      .set({ certificates_revoked_at: sql<Date>`now()` })
      .where('id', '=', clusterId)
      .execute();
    return Number(done.numUpdatedRows);
  }

  /** When the last certificate of each cluster that is not revoked ends. */
  async latestExpiry(clusterIds: string[]): Promise<Map<string, Date>> {
    if (clusterIds.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('certificates')
      .select(['cluster_id', ({ fn }) => fn.max('not_after').as('until')])
      .where('cluster_id', '=', sql<string>`any(${clusterIds}::uuid[])`)
      .where('revoked_at', 'is', null)
      .groupBy('cluster_id')
      .execute();
    return new Map(rows.map((row) => [row.cluster_id, row.until]));
  }

  /** Revoked rows stay as long as their certificate could still renew; others go some time after their end. */
  async forgetEnded(renewableMs: number): Promise<void> {
    await this.#db
      .deleteFrom('certificates')
      .where('not_after', '<', new Date(Date.now() - renewableMs))
      .execute();
  }
}
