import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../queue/outbox.ts';
import { PromotionsRepository } from './promotions.repository.ts';

/** Has promotions look at what there is. */
@Injectable()
export class PromotionTriggers {
  constructor(
    @Inject(PromotionsRepository) private readonly repository: PromotionsRepository,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** Those whose time has come. */
  async due(): Promise<void> {
    const ids = await this.repository.due();
    if (ids.length === 0) return;
    const keys = ids.map((id) => `promotion:${id}`);
    await this.repository.db.transaction().execute((trx) => this.outbox.add(trx, 'sources', keys));
  }
}
