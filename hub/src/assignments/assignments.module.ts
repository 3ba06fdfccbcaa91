import { Module } from '@nestjs/common';
import { jobHandlers } from '../queue/jobs.ts';
import { RolloutHoldsModule } from '../rollouts/rollout-holds.module.ts';
import { AssignmentsRepository } from './assignments.repository.ts';
import { AssignmentsService } from './assignments.service.ts';
import { handlers } from './assignments.worker.ts';
import { DetachmentRepository } from './detachment.repository.ts';
import { DetachmentService } from './detachment.service.ts';

/** What clusters should hold, signed. */
@Module({
  imports: [RolloutHoldsModule],
  providers: [
    AssignmentsRepository,
    AssignmentsService,
    DetachmentRepository,
    DetachmentService,
    jobHandlers([AssignmentsService], handlers),
  ],
  exports: [AssignmentsService, DetachmentService],
})
export class AssignmentsModule {}
