import { MusterError } from '@muster/base';
import { compareVersions } from '@muster/link';
import type { Version } from '@muster/proto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import { Keys } from '../keys/keys.ts';
import { Outbox } from '../queue/outbox.ts';
import { Notifications } from '../store/notifications.ts';
import type { Trx } from '../store/schema.ts';
import { epochAfterRecovery, judgeHeard } from './recovery.ts';
import { RecoveryRepository } from './recovery.repository.ts';

/** How long what this hub has signed is remembered: thousands of heartbeats ask for it. */
const OWN_VERSION_MS = 5_000;
/** NOTIFY channel: recovery began or ended. */
export const RECOVERY_CHANNEL = 'recovery';

export interface HubCondition {
  recovering: boolean;
  since?: Date;
  reason?: string;
  epoch: bigint;
  highestHeard: Version;
  confirmedAt?: Date;
  confirmedBy?: string;
}

/** Whether this hub may sign, and under which epoch. */
@Injectable()
export class RecoveryService implements OnModuleInit {
  readonly #repository: RecoveryRepository;
  readonly #keys: Keys;
  readonly #notifications: Notifications;
  readonly #outbox: Outbox;
  readonly #audit: Audit;
  #own: { version: Version; until: number } | undefined;

  constructor(
    @Inject(RecoveryRepository) repository: RecoveryRepository,
    @Inject(Keys) keys: Keys,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Outbox) outbox: Outbox,
    @Inject(Audit) audit: Audit,
  ) {
    this.#repository = repository;
    this.#keys = keys;
    this.#notifications = notifications;
    this.#outbox = outbox;
    this.#audit = audit;
  }

  /** Refuses to start on the database of another hub; stops signing at once when this one is in recovery. */
  async onModuleInit(): Promise<void> {
    const row = await this.#repository.ensure(this.#keys.hubId);
    if (row.hub_id !== this.#keys.hubId) {
      throw new MusterError(
        'precondition',
        `the database belongs to hub ${row.hub_id}, the keys folder to hub ${this.#keys.hubId}`,
        {
          where: 'MUSTER_KEYS_DIR',
          hint: 'start with the keys folder that belongs to this database; a backup holds both',
        },
      );
    }
    const refresh = () => void this.#refresh().catch(() => undefined);
    await this.#notifications.subscribe(RECOVERY_CHANNEL, refresh, refresh);
    await this.#refresh();
  }

  async state(): Promise<HubCondition> {
    const row = await this.#repository.load();
    return {
      recovering: row.recovery_since !== null,
      ...(row.recovery_since ? { since: row.recovery_since, reason: row.recovery_reason ?? '' } : {}),
      epoch: row.epoch,
      highestHeard: { epoch: row.highest_epoch_heard, generation: row.highest_generation_heard },
      ...(row.confirmed_at ? { confirmedAt: row.confirmed_at, confirmedBy: row.confirmed_by ?? '' } : {}),
    };
  }

  /**
   * The epoch to sign under, for the length of the caller's transaction.
   * @throws MusterError precondition while the hub is in recovery.
   */
  async signingEpoch(trx: Trx): Promise<bigint> {
    const row = await this.#repository.lockShared(trx);
    if (row.recovery_since) {
      throw new MusterError('precondition', `the hub is in recovery: ${row.recovery_reason}`, {
        hint: 'look at GET /api/v1/recovery, then confirm with `muster recover confirm`',
      });
    }
    return row.epoch;
  }

  /** Weighs the highest version an agent has verified. Returns true when it means recovery. */
  async heard(highest: Version, clusterName: string): Promise<boolean> {
    if (this.#own && this.#own.until > Date.now() && compareVersions(highest, this.#own.version) <= 0)
      return false;
    const row = await this.#repository.load();
    const own = { epoch: row.epoch, generation: await this.#repository.lastGeneration() };
    this.#own = { version: own, until: Date.now() + OWN_VERSION_MS };
    const hearing = judgeHeard(highest, own, clusterName);
    if (hearing.kind === 'known') return false;
    const noted = { epoch: row.highest_epoch_heard, generation: row.highest_generation_heard };
    if (row.recovery_since && compareVersions(highest, noted) <= 0) return true;
    this.#keys.halt(hearing.reason);
    await this.#repository.transaction(async (trx) => {
      const before = await this.#repository.lock(trx);
      await this.#repository.beginRecovery(trx, hearing.reason, highest);
      if (before.recovery_since) return;
      await this.#audit.record(trx, {
        actor: 'system',
        action: 'hub.recovery',
        object: 'hub',
        reason: hearing.reason,
      });
      await this.#notifications.publish(trx, RECOVERY_CHANNEL, 'begun');
    });
    return true;
  }

  /** Ends recovery under a new epoch and has everything signed again. Returns that epoch. */
  async confirm(actor: Actor, reason?: string): Promise<bigint> {
    const epoch = await this.#repository.transaction(async (trx) => {
      const row = await this.#repository.lock(trx);
      if (!row.recovery_since) throw new MusterError('precondition', 'the hub is not in recovery');
      const next = epochAfterRecovery(row.epoch, row.highest_epoch_heard);
      await this.#repository.endRecovery(trx, next, actor.name);
      await this.#outbox.add(trx, 'assign', await this.#repository.owners(trx));
      await this.#audit.record(trx, {
        actor,
        action: 'hub.recovery.confirm',
        object: 'hub',
        ...(reason ? { reason } : {}),
        details: { epoch: String(next), was: row.recovery_reason },
      });
      await this.#notifications.publish(trx, RECOVERY_CHANNEL, 'ended');
      return next;
    });
    await this.#refresh();
    return epoch;
  }

  async #refresh(): Promise<void> {
    const row = await this.#repository.load();
    this.#keys.halt(row.recovery_since ? (row.recovery_reason ?? 'its reason was not recorded') : undefined);
  }
}
