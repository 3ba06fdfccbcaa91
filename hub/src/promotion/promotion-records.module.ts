import { Module } from '@nestjs/common';
import { RolloutStartsModule } from '../rollouts/rollout-starts.module.ts';
import { DeliveryDocuments } from './delivery-documents.service.ts';
import { PromotionNews } from './promotion-news.service.ts';
import { PromotionsRepository } from './promotions.repository.ts';
import { PromotionsService } from './promotions.service.ts';

/** Promotions as rows, for those that apply them. */
@Module({
  imports: [RolloutStartsModule],
  providers: [DeliveryDocuments, PromotionNews, PromotionsRepository, PromotionsService],
  exports: [DeliveryDocuments, PromotionNews, PromotionsRepository, PromotionsService],
})
export class PromotionRecordsModule {}
