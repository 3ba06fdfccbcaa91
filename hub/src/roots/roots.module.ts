import { Module } from '@nestjs/common';
import { ApplicationRecordsModule } from '../applications/application-records.module.ts';
import { ApplicationsModule } from '../applications/applications.module.ts';
import { ApplicationSetsModule } from '../applicationsets/applicationsets.module.ts';
import { ProjectsModule } from '../projects/projects.module.ts';
import { jobHandlers } from '../queue/jobs.ts';
import { ReleasesModule } from '../releases/releases.module.ts';
import { SourcesModule } from '../sources/sources.module.ts';
import { RootAuthority } from './root-authority.service.ts';
import { RootReader } from './root-facts.service.ts';
import { RootRecordsModule } from './root-records.module.ts';
import { RootRemovals } from './root-removals.service.ts';
import { RootSync } from './root-sync.service.ts';
import { RootTriggers } from './root-triggers.service.ts';
import { RootWorldRepository } from './root-world.repository.ts';
import { RootsController } from './roots.controller.ts';
import { handlers } from './roots.worker.ts';

/** Apps of apps: Applications whose objects are Applications, ApplicationSets and AppProjects of the hub. */
@Module({
  imports: [
    ApplicationRecordsModule,
    ApplicationsModule,
    ApplicationSetsModule,
    ProjectsModule,
    ReleasesModule,
    RootRecordsModule,
    SourcesModule,
  ],
  controllers: [RootsController],
  providers: [
    RootAuthority,
    RootReader,
    RootRemovals,
    RootSync,
    RootTriggers,
    RootWorldRepository,
    jobHandlers([RootSync, RootTriggers], handlers),
  ],
})
export class RootsModule {}
