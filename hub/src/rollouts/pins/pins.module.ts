import { Module } from '@nestjs/common';
import { ApplicationsModule } from '../../applications/applications.module.ts';
import { AssignmentsModule } from '../../assignments/assignments.module.ts';
import { jobHandlers } from '../../queue/jobs.ts';
import { RolloutHoldsModule } from '../rollout-holds.module.ts';
import { RolloutStartsModule } from '../rollout-starts.module.ts';
import { PinKeeping } from './pin-keeping.service.ts';
import { PinsController } from './pins.controller.ts';
import { PinsRepository } from './pins.repository.ts';
import { PinsService } from './pins.service.ts';
import { handlers } from './pins.worker.ts';

/** Targets that operators keep at one release. */
@Module({
  imports: [ApplicationsModule, AssignmentsModule, RolloutHoldsModule, RolloutStartsModule],
  controllers: [PinsController],
  providers: [PinKeeping, PinsRepository, PinsService, jobHandlers([PinsService], handlers)],
})
export class PinsModule {}
