import { Inject, Injectable } from '@nestjs/common';
import type { Heard } from '../clusters/heard.ts';
import { SessionsRegistry } from '../clusters/sessions-registry.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';

const FLUSH_MS = 1_000;

/** Heartbeats of all sessions of this replica, written together once a second. */
@Injectable()
export class LastSeen {
  readonly #registry: SessionsRegistry;
  readonly #logger: Logger;
  #heard = new Map<string, Heard>();
  #timer: NodeJS.Timeout | undefined;

  constructor(@Inject(SessionsRegistry) registry: SessionsRegistry, @Inject(LOGGER) logger: Logger) {
    this.#registry = registry;
    this.#logger = logger.child({ part: 'agents' });
  }

  heard(clusterId: string, heard: Heard): void {
    this.#heard.set(clusterId, heard);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const heard = this.#heard;
    if (heard.size === 0) return;
    this.#heard = new Map();
    try {
      await this.#registry.seen(heard);
    } catch (error) {
      this.#logger.warn({ err: error, clusters: heard.size }, 'heartbeats could not be stored');
    }
  }
}
