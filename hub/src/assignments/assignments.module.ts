import { Module } from '@nestjs/common';
import { ProjectsModule } from '../projects/projects.module.ts';
import { jobHandlers } from '../queue/jobs.ts';
import { RolloutHoldsModule } from '../rollouts/rollout-holds.module.ts';
import { AssignmentSigner } from './assignment-signer.service.ts';
import { AssignmentsRepository } from './assignments.repository.ts';
import { AssignmentsService } from './assignments.service.ts';
import { handlers } from './assignments.worker.ts';
import { DetachmentRepository } from './detachment.repository.ts';
import { DetachmentService } from './detachment.service.ts';

/** What clusters should hold, signed. */
@Module({
  imports: [ProjectsModule, RolloutHoldsModule],
  providers: [
    AssignmentSigner,
    AssignmentsRepository,
    AssignmentsService,
    DetachmentRepository,
    DetachmentService,
    jobHandlers([AssignmentsService], handlers),
  ],
  exports: [AssignmentsService, DetachmentService],
})
export class AssignmentsModule {}
