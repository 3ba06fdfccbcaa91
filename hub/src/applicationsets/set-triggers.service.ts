import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Topics } from '../generators/topics.ts';
import { Outbox } from '../queue/outbox.ts';
import type { Trx } from '../store/schema.ts';
import { SetTopicsRepository } from './set-topics.repository.ts';

/** Expands the sets whose generators ask where something changed. */
@Injectable()
export class SetTriggers implements OnModuleInit {
  constructor(
    @Inject(SetTopicsRepository) private readonly repository: SetTopicsRepository,
    @Inject(Topics) private readonly topics: Topics,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  onModuleInit(): void {
    this.topics.on((trx, topics) => this.#expand(trx, topics));
  }

  /** Has a set follow what its generators ask, from now on. */
  async follow(trx: Trx, setId: string, topics: readonly string[]): Promise<void> {
    await this.repository.write(trx, setId, topics);
  }

  async #expand(trx: Trx, topics: readonly string[]): Promise<number> {
    const ids = await this.repository.following(trx, topics);
    await this.outbox.add(
      trx,
      'expand',
      ids.map((id) => `set:${id}`),
    );
    return ids.length;
  }
}
