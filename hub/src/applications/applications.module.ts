import { Module } from '@nestjs/common';
import { ApplicationSetsModule } from '../applicationsets/applicationsets.module.ts';
import { ProjectsModule } from '../projects/projects.module.ts';
import { jobHandlers } from '../queue/jobs.ts';
import { PromotionRecordsModule } from '../promotion/promotion-records.module.ts';
import { ReleasesModule } from '../releases/releases.module.ts';
import { SettingsModule } from '../settings/settings.module.ts';
import { DependencyCyclesModule } from '../rollouts/dependencies/dependency-cycles.module.ts';
import { RolloutHoldsModule } from '../rollouts/rollout-holds.module.ts';
import { RolloutStartsModule } from '../rollouts/rollout-starts.module.ts';
import { RootRecordsModule } from '../roots/root-records.module.ts';
import { SourcesModule } from '../sources/sources.module.ts';
import { ApplicationActions } from './application-actions.service.ts';
import { ApplicationList } from './application-list.repository.ts';
import { ApplicationRecordsModule } from './application-records.module.ts';
import { ApplicationOrders } from './application-orders.service.ts';
import { ApplicationRemovals } from './application-removals.service.ts';
import { ApplicationRevisions } from './application-revisions.service.ts';
import { ApplicationTrail } from './application-trail.ts';
import { ApplicationViews } from './application-views.service.ts';
import { ApplicationsController } from './applications.controller.ts';
import { ApplicationsService } from './applications.service.ts';
import { handlers } from './applications.worker.ts';
import { AppliedDependencies } from './applied-dependencies.service.ts';
import { AppliedProjects } from './applied-projects.service.ts';
import { ApplyController } from './apply.controller.ts';
import { ApplyService } from './apply.service.ts';

/** Applications as users apply, see, sync and remove them. */
@Module({
  imports: [
    ApplicationRecordsModule,
    ApplicationSetsModule,
    DependencyCyclesModule,
    ProjectsModule,
    PromotionRecordsModule,
    ReleasesModule,
    SettingsModule,
    RolloutHoldsModule,
    RolloutStartsModule,
    RootRecordsModule,
    SourcesModule,
  ],
  controllers: [ApplyController, ApplicationsController],
  providers: [
    ApplicationsService,
    ApplicationActions,
    ApplicationList,
    ApplicationOrders,
    ApplicationRemovals,
    ApplicationRevisions,
    ApplicationTrail,
    ApplicationViews,
    AppliedDependencies,
    AppliedProjects,
    ApplyService,
    jobHandlers([ApplicationsService], handlers),
  ],
  exports: [ApplicationsService, ApplicationViews, ApplyService],
})
export class ApplicationsModule {}
