import { Module } from '@nestjs/common';
import { ApplicationsModule } from './applications/applications.module.ts';
import { ApplicationSetsModule } from './applicationsets/applicationsets.module.ts';
import { AssignmentsModule } from './assignments/assignments.module.ts';
import { ComparisonsModule } from './comparisons/comparisons.module.ts';
import { PlansModule } from './plans/plans.module.ts';
import { ProjectsModule } from './projects/projects.module.ts';
import { PromotionModule } from './promotion/promotion.module.ts';
import { ReleasesModule } from './releases/releases.module.ts';
import { RenderingModule } from './rendering/rendering.module.ts';
import { DriftModule } from './drift/drift.module.ts';
import { PinsModule } from './rollouts/pins/pins.module.ts';
import { RolloutsModule } from './rollouts/rollouts.module.ts';
import { SettingsModule } from './settings/settings.module.ts';
import { ResourcesModule } from './resources/resources.module.ts';
import { RootsModule } from './roots/roots.module.ts';
import { SourcesModule } from './sources/sources.module.ts';
import { WhyModule } from './why/why.module.ts';

/** From a commit to signed assignments. */
@Module({
  imports: [
    SourcesModule,
    ProjectsModule,
    SettingsModule,
    DriftModule,
    ApplicationSetsModule,
    ApplicationsModule,
    RenderingModule,
    ReleasesModule,
    AssignmentsModule,
    RolloutsModule,
    PinsModule,
    PlansModule,
    ComparisonsModule,
    PromotionModule,
    RootsModule,
    ResourcesModule,
    WhyModule,
  ],
})
export class PipelineModule {}
