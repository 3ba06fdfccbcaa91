import { Module } from '@nestjs/common';
import { ApplicationsModule } from '../applications/applications.module.ts';
import { AcceptedRulesModule } from './accepted-rules.module.ts';
import { DriftController } from './drift.controller.ts';
import { DriftService } from './drift.service.ts';

/** What clusters differ in, and what of it people accept. */
@Module({
  imports: [AcceptedRulesModule, ApplicationsModule],
  controllers: [DriftController],
  providers: [DriftService],
})
export class DriftModule {}
