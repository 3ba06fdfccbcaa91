import { MusterError } from '@muster/base';
import type { KeysView } from '@muster/api';
import { KeySet, KeyUse } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import { Notifications } from '../store/notifications.ts';
import { Keys } from './keys.ts';
import { RotationRepository } from './rotation.repository.ts';

/** NOTIFY channel: the keys folder has another key set, or other keys sign. */
export const KEYS_CHANNEL = 'keys';
const SHOWN = 1000;

/** Rotation: a new key set goes out, and signs once every cluster knows it. */
@Injectable()
export class RotationService {
  readonly #repository: RotationRepository;
  readonly #keys: Keys;
  readonly #notifications: Notifications;
  readonly #audit: Audit;

  constructor(
    @Inject(RotationRepository) repository: RotationRepository,
    @Inject(Keys) keys: Keys,
    @Inject(Notifications) notifications: Notifications,
    @Inject(Audit) audit: Audit,
  ) {
    this.#repository = repository;
    this.#keys = keys;
    this.#notifications = notifications;
    this.#audit = audit;
  }

  async view(): Promise<KeysView> {
    const version = this.#keys.keySetVersion;
    const { keys } = KeySet.decode(this.#keys.keySet().payload);
    const active = new Set(Object.values(this.#keys.active));
    const [counts, waitingFor] = await Promise.all([
      this.#repository.counts(version),
      this.#repository.behind(version, SHOWN),
    ]);
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
      ...counts,
      waitingFor,
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
    // Keys that signed what is still delivered stay in the set; the others go.
    const version = await this.#keys.stageRotation(await this.#repository.keysInUse());
    await this.#announce(actor, 'keys.rotate', { version: String(version) }, reason);
    await this.acknowledged();
    return this.view();
  }

  /** Signs with the newest keys from now on; what was signed before stays valid until it changes. */
  async activate(actor: Actor | 'system', reason?: string): Promise<KeysView> {
    if (!this.#keys.rotating) throw new MusterError('precondition', 'the newest keys sign already');
    await this.#keys.activate();
    await this.#announce(actor, 'keys.activate', { version: String(this.#keys.keySetVersion) }, reason);
    return this.view();
  }

  /** A cluster took a key set: once all that may be assigned to have it, its keys sign. */
  async acknowledged(): Promise<void> {
    if (!this.#keys.rotating || (await this.#repository.behind(this.#keys.keySetVersion, 1)).length > 0)
      return;
    try {
      await this.activate('system', 'all clusters have acknowledged the key set');
    } catch (error) {
      // The last two acknowledgements came together, or the folder is read-only and somebody has to activate by hand.
      if (MusterError.from(error).code !== 'precondition') throw error;
    }
  }

  async #announce(
    actor: Actor | string,
    action: string,
    details: Record<string, unknown>,
    reason?: string,
  ): Promise<void> {
    await this.#repository.transaction(async (trx) => {
      await this.#audit.record(trx, {
        actor,
        action,
        object: 'keys',
        ...(reason ? { reason } : {}),
        details,
      });
      await this.#notifications.publish(trx, KEYS_CHANNEL, action);
    });
  }
}
