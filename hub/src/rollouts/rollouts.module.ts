import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.ts';
import { ProjectsModule } from '../projects/projects.module.ts';
import { jobHandlers } from '../queue/jobs.ts';
import { DependencyCyclesModule } from './dependencies/dependency-cycles.module.ts';
import { GatesModule } from './gates/gates.module.ts';
import { RolloutReads } from './reads/rollout-reads.service.ts';
import { RolloutReadsRepository } from './reads/rollout-reads.repository.ts';
import { RolloutDependencies } from './dependencies/rollout-dependencies.service.ts';
import { OpenRolloutsReads } from './open-rollouts.service.ts';
import { Outages } from './outages/outages.service.ts';
import { OutagesRepository } from './outages/outages.repository.ts';
import { RolloutHoldsModule } from './rollout-holds.module.ts';
import { RolloutNews } from './rollout-news.service.ts';
import { RolloutRunner } from './rollout-runner.service.ts';
import { RolloutStartsModule } from './rollout-starts.module.ts';
import { RolloutSteps } from './rollout-steps.service.ts';
import { RolloutTriggers } from './rollout-triggers.service.ts';
import { RolloutPoliciesController, RolloutsController } from './rollouts.controller.ts';
import { RolloutsService } from './rollouts.service.ts';
import { handlers } from './rollouts.worker.ts';
import { RolloutWindows } from './windows/rollout-windows.service.ts';

/** Releases that reach their targets in stages. */
@Module({
  imports: [
    RolloutHoldsModule,
    RolloutStartsModule,
    DependencyCyclesModule,
    AssignmentsModule,
    GatesModule,
    ProjectsModule,
  ],
  controllers: [RolloutsController, RolloutPoliciesController],
  providers: [
    RolloutDependencies,
    RolloutWindows,
    Outages,
    OutagesRepository,
    RolloutNews,
    OpenRolloutsReads,
    RolloutRunner,
    RolloutSteps,
    RolloutsService,
    RolloutReads,
    RolloutReadsRepository,
    jobHandlers([RolloutSteps, RolloutTriggers, Outages], handlers),
  ],
  exports: [OpenRolloutsReads, RolloutSteps],
})
export class RolloutsModule {}
