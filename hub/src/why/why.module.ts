import { DependencyCyclesModule } from '../rollouts/dependencies/dependency-cycles.module.ts';
import { Module } from '@nestjs/common';
import { ApplicationRecordsModule } from '../applications/application-records.module.ts';
import { RolloutsModule } from '../rollouts/rollouts.module.ts';
import { WhyController } from './why.controller.ts';
import { WhyRepository } from './why.repository.ts';
import { WhyService } from './why.service.ts';

/** What blocks a target. */
@Module({
  imports: [DependencyCyclesModule, ApplicationRecordsModule, RolloutsModule],
  controllers: [WhyController],
  providers: [WhyRepository, WhyService],
})
export class WhyModule {}
