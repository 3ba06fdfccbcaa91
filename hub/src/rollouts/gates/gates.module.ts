import { Module } from '@nestjs/common';
import { jobHandlers } from '../../queue/jobs.ts';
import { RolloutHoldsModule } from '../rollout-holds.module.ts';
import { RolloutStartsModule } from '../rollout-starts.module.ts';
import { GatesRepository } from './gates.repository.ts';
import { GatesService } from './gates.service.ts';
import { JobGate } from './job-gate.service.ts';
import { handlers } from './gates.worker.ts';

/** Gates that are measured: over HTTP, by Prometheus, by Jobs. */
@Module({
  imports: [RolloutHoldsModule, RolloutStartsModule],
  providers: [GatesRepository, JobGate, GatesService, jobHandlers([GatesService], handlers)],
})
export class GatesModule {}
