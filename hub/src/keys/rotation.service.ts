import { MusterError } from '@muster/base';
import type { KeysView } from '@muster/api';
import { KeySet, KeyUse } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { sql } from 'kysely';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import { Outbox } from '../queue/outbox.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { Notifications } from '../store/notifications.ts';
import { Keys } from './keys.ts';

/** NOTIFY channel: the keys folder has another key set, or other keys sign. */
export const KEYS_CHANNEL = 'keys';
const SHOWN = 1000;

/** Rotation: a new key set goes out, and signs once every cluster knows it. */
@Injectable()
export class RotationService {
  readonly #db: Db;
  readonly #keys: Keys;
  readonly #notifications: Notifications;
  readonly #outbox: Outbox;
  readonly #audit: Audit;

  constructor(
    @Inject(DATABASE) db: Db,
    @Inject(Keys) keys: Keys,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Outbox) outbox: Outbox,
    @Inject(Audit) audit: Audit,
  ) {
    this.#db = db;
    this.#keys = keys;
    this.#notifications = notifications;
    this.#outbox = outbox;
    this.#audit = audit;
  }

  async view(): Promise<KeysView> {
    const version = this.#keys.keySetVersion;
    const { keys } = KeySet.decode(this.#keys.keySet().payload);
    const active = new Set(Object.values(this.#keys.active));
    const waitingFor = await this.#behind(version);
    const counted = await this.#db
      .selectFrom('clusters')
      .select(({ fn }) => fn.countAll<bigint>().as('count'))
      .where('state', 'in', ['active', 'removing'])
      .where('key_set_version', '>=', version)
      .executeTakeFirstOrThrow();
    return {
      hubId: this.#keys.hubId,
      caSha256: this.#keys.caSha256,
      keySetVersion: String(version),
      rotating: this.#keys.rotating,
      keys: keys.map((key) => ({
        id: key.id,
        use: key.use === KeyUse.COMMAND ? ('command' as const) : ('assignment' as const),
        active: active.has(key.id),
      })),
      acknowledged: Number(counted.count),
      waitingFor: waitingFor.slice(0, SHOWN),
      waiting: waitingFor.length,
    };
  }

  /** Distributes a new key set, unless one is on its way. @throws MusterError precondition when one is, or the folder is read-only. */
  async rotate(actor: Actor, reason?: string): Promise<KeysView> {
    if (this.#keys.rotating) {
      throw new MusterError(
        'precondition',
        `key set ${this.#keys.keySetVersion} is still being distributed`,
        {
          hint: 'wait for the clusters that GET /api/v1/keys names, or activate it',
        },
      );
    }
    const inUse = await this.#db.selectFrom('assignments').select('key_id').distinct().execute();
    const version = await this.#keys.stageRotation(inUse.map((row) => row.key_id));
    await this.#announce(actor, 'keys.rotate', { version: String(version) }, reason);
    await this.acknowledged();
    return this.view();
  }

  /** Signs with the newest keys from now on, and has everything signed again with them. */
  async activate(actor: Actor | 'system', reason?: string): Promise<KeysView> {
    if (!this.#keys.rotating) throw new MusterError('precondition', 'the newest keys sign already');
    await this.#keys.activate();
    await this.#announce(actor, 'keys.activate', { version: String(this.#keys.keySetVersion) }, reason);
    return this.view();
  }

  /** A cluster took a key set: once all that may be assigned to have it, its keys sign. */
  async acknowledged(): Promise<void> {
    if (!this.#keys.rotating || (await this.#anyBehind(this.#keys.keySetVersion))) return;
    try {
      await this.activate('system', 'all clusters have acknowledged the key set');
    } catch (error) {
      // The last two acknowledgements came together, or the folder is read-only and somebody has to activate by hand.
      if (MusterError.from(error).code !== 'precondition') throw error;
    }
  }

  async #anyBehind(version: bigint): Promise<boolean> {
    const row = await this.#db
      .selectFrom('clusters')
      .select('id')
      .where('state', 'in', ['active', 'removing'])
      .where('key_set_version', '<', version)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async #behind(version: bigint): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('clusters')
      .select('name')
      .where('state', 'in', ['active', 'removing'])
      .where('key_set_version', '<', version)
      .orderBy('name')
      .execute();
    return rows.map((row) => row.name);
  }

  async #announce(
    actor: Actor | string,
    action: string,
    details: Record<string, unknown>,
    reason?: string,
  ): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await this.#audit.record(trx, {
        actor,
        action,
        object: 'keys',
        ...(reason ? { reason } : {}),
        details,
      });
      if (action === 'keys.activate') {
        const owners = await sql<{ key: string }>`
          select distinct case when set_id is null then 'application:' || id else 'set:' || set_id end as key from applications`.execute(
          trx,
        );
        await this.#outbox.add(
          trx,
          'assign',
          owners.rows.map((row) => row.key),
        );
      }
      await this.#notifications.publish(trx, KEYS_CHANNEL, action);
    });
  }
}
