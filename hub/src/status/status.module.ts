import { Global, Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.ts';
import { PromotionRecordsModule } from '../promotion/promotion-records.module.ts';
import { RolloutHoldsModule } from '../rollouts/rollout-holds.module.ts';
import { ReportIngest } from './report-ingest.ts';
import { StatusController } from './status.controller.ts';
import { StatusReadsRepository } from './status-reads.repository.ts';
import { StatusRepository } from './status.repository.ts';
import { StatusService } from './status.service.ts';

@Global()
@Module({
  imports: [AssignmentsModule, PromotionRecordsModule, RolloutHoldsModule],
  controllers: [StatusController],
  providers: [StatusRepository, StatusReadsRepository, StatusService, ReportIngest],
  exports: [StatusService, ReportIngest],
})
export class StatusModule {}
