import { setTimeout as sleep } from 'node:timers/promises';
import type { FactEvent, Rollout } from '@muster/rollout';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import type { Trx } from '../../store/schema.ts';
import { LOGGER, type Logger } from '../../telemetry/logger.ts';
import { outageAfter } from './outage-time.ts';
import { type Beat, OutagesRepository } from './outages.repository.ts';

const BEAT_MS = 2_000;
/** Without a beat for so long nothing was there; a queue may be behind for a while. */
const GAP_SECONDS: Readonly<Record<Beat, number>> = { hub: 15, queue: 60 };
const KEPT_DAYS = 90;

/** Times in which no hub was there, or none worked on its queue: nothing that was due then was missed by anyone but the hub. */
@Injectable()
export class Outages implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  readonly #stop = new AbortController();
  /** By `performance.now()`: nothing of this hub listens yet. */
  readonly #madeAt = performance.now();
  #beating: Promise<void> | undefined;

  constructor(
    @Inject(OutagesRepository) private readonly repository: OutagesRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Before anything is worked on: a restart is an outage that is known exactly, but for the last beat. */
  async onModuleInit(): Promise<void> {
    await this.repository.begin('hub', performance.now() - this.#madeAt);
  }

  onApplicationBootstrap(): void {
    this.#beating = this.#beatAlways();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await this.#beating;
    // Nothing of the time until now was lost.
    await this.repository.beat('hub', GAP_SECONDS.hub).catch(() => undefined);
  }

  /** A hub is alive, or works on its queue. */
  async beat(kind: Beat): Promise<void> {
    if (!(await this.repository.beat(kind, GAP_SECONDS[kind]))) return;
    this.logger.warn(
      { kind },
      'no hub was working for a while: deadlines and soaks of rollouts go on from here',
    );
    await this.repository.forget(KEPT_DAYS);
  }

  /** What a rollout has to know before anything else of its batch: its state was last changed at its clock. */
  async news(trx: Trx, { clock }: Rollout): Promise<FactEvent[]> {
    const outages = await this.repository.since(trx, clock, GAP_SECONDS);
    const ms = outageAfter(outages, clock);
    const until = Math.round(Math.max(...outages.map(({ untilMs }) => untilMs)));
    return ms > 0 ? [{ kind: 'outage', ms, until }] : [];
  }

  async #beatAlways(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.beat('hub').catch((error: unknown) => {
        if (!signal.aborted) this.logger.warn({ err: error }, 'that this hub is alive could not be stored');
      });
      await sleep(BEAT_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
