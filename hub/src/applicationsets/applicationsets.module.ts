import { Module } from '@nestjs/common';
import { ApplicationRecordsModule } from '../applications/application-records.module.ts';
import { ProjectsModule } from '../projects/projects.module.ts';
import { GeneratorsModule } from '../generators/generators.module.ts';
import { TopicsModule } from '../generators/topics.module.ts';
import { jobHandlers } from '../queue/jobs.ts';
import { RenderingModule } from '../rendering/rendering.module.ts';
import { RootRecordsModule } from '../roots/root-records.module.ts';
import { DependencyCyclesModule } from '../rollouts/dependencies/dependency-cycles.module.ts';
import { SourcesModule } from '../sources/sources.module.ts';
import { ApplicationSetsController } from './applicationsets.controller.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import { ApplicationSetsService } from './applicationsets.service.ts';
import { handlers } from './applicationsets.worker.ts';
import { ExpansionResults } from './expansion-results.service.ts';
import { ExpansionService } from './expansion.service.ts';
import { IncrementalExpansion } from './incremental-expansion.service.ts';
import { RemovalBudget } from './removal-budget.service.ts';
import { SetGeneration } from './set-generation.service.ts';
import { SetManifests } from './set-manifests.ts';
import { SetRemovals } from './set-removals.service.ts';
import { SetRepositories } from './set-repositories.ts';
import { SetTopicsRepository } from './set-topics.repository.ts';
import { SetTrail } from './set-trail.ts';
import { SetTriggers } from './set-triggers.service.ts';
import { SetViews } from './set-views.service.ts';
import { SupposedSets } from './supposed-sets.service.ts';

/** ApplicationSets, and their expansion into Applications. */
@Module({
  imports: [
    GeneratorsModule,
    TopicsModule,
    DependencyCyclesModule,
    ApplicationRecordsModule,
    ProjectsModule,
    RenderingModule,
    RootRecordsModule,
    SourcesModule,
  ],
  controllers: [ApplicationSetsController],
  providers: [
    ApplicationSetsRepository,
    ApplicationSetsService,
    ExpansionResults,
    ExpansionService,
    IncrementalExpansion,
    RemovalBudget,
    SetGeneration,
    SetManifests,
    SetRemovals,
    SetRepositories,
    SetTopicsRepository,
    SetTrail,
    SetTriggers,
    SetViews,
    SupposedSets,
    jobHandlers([ExpansionService], handlers),
  ],
  exports: [ApplicationSetsService, RemovalBudget, SetRemovals, SetTriggers, SupposedSets],
})
export class ApplicationSetsModule {}
