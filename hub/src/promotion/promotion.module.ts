import { Module } from '@nestjs/common';
import { ComparisonsModule } from '../comparisons/comparisons.module.ts';
import { jobHandlers } from '../queue/jobs.ts';
import { BundlesModule } from '../releases/bundles.module.ts';
import { RolloutStartsModule } from '../rollouts/rollout-starts.module.ts';
import { SourcesModule } from '../sources/sources.module.ts';
import { PromotionRecordsModule } from './promotion-records.module.ts';
import { PromotionStandings } from './promotion-standings.service.ts';
import { PromotionSteps } from './promotion-steps.service.ts';
import { PromotionTriggers } from './promotion-triggers.service.ts';
import { PromotionsController } from './promotions.controller.ts';
import { handlers } from './promotions.worker.ts';
import { Proposals } from './proposals.service.ts';
import { StandingsRepository } from './standings.repository.ts';

/** What passed one environment is proposed to the next, in Git. */
@Module({
  imports: [BundlesModule, ComparisonsModule, PromotionRecordsModule, RolloutStartsModule, SourcesModule],
  controllers: [PromotionsController],
  providers: [
    PromotionStandings,
    PromotionSteps,
    PromotionTriggers,
    Proposals,
    StandingsRepository,
    jobHandlers([PromotionSteps, PromotionTriggers], handlers),
  ],
  exports: [PromotionSteps],
})
export class PromotionModule {}
