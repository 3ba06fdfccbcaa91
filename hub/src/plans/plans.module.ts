import { Module } from '@nestjs/common';
import { ApplicationRecordsModule } from '../applications/application-records.module.ts';
import { ApplicationSetsModule } from '../applicationsets/applicationsets.module.ts';
import { ProjectsModule } from '../projects/projects.module.ts';
import { ReleasesModule } from '../releases/releases.module.ts';
import { RenderingModule } from '../rendering/rendering.module.ts';
import { DependencyCyclesModule } from '../rollouts/dependencies/dependency-cycles.module.ts';
import { SourcesModule } from '../sources/sources.module.ts';
import { PlannedChanges } from './planned-changes.service.ts';
import { PlannedRenders } from './planned-renders.service.ts';
import { PlannedSets } from './planned-sets.service.ts';
import { Planner } from './planner.service.ts';
import { PlansController } from './plans.controller.ts';
import { PlansService } from './plans.service.ts';
import { Suppositions } from './suppositions.service.ts';

/** What a change would do to the fleet, before it is made. */
@Module({
  imports: [
    ApplicationRecordsModule,
    ApplicationSetsModule,
    DependencyCyclesModule,
    ProjectsModule,
    ReleasesModule,
    RenderingModule,
    SourcesModule,
  ],
  controllers: [PlansController],
  providers: [PlannedChanges, PlannedRenders, PlannedSets, Planner, PlansService, Suppositions],
})
export class PlansModule {}
