import { Module } from '@nestjs/common';
import { ApplicationRecordsModule } from '../applications/application-records.module.ts';
import { ProjectsModule } from '../projects/projects.module.ts';
import { jobHandlers } from '../queue/jobs.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import { ReleasesModule } from '../releases/releases.module.ts';
import { AcceptedRulesModule } from '../drift/accepted-rules.module.ts';
import { SettingsModule } from '../settings/settings.module.ts';
import { JoinerBasesModule } from '../rollouts/joiners/joiner-bases.module.ts';
import { RootRecordsModule } from '../roots/root-records.module.ts';
import { SourcesModule } from '../sources/sources.module.ts';
import { Joiners } from './joiners.service.ts';
import { OwnerRelease } from './owner-release.service.ts';
import { RenderDependencies } from './render-dependencies.service.ts';
import { Renderer } from './renderer.ts';
import { handlers } from './rendering.worker.ts';
import { RenderingService } from './rendering.service.ts';
import { Renderings } from './renderings.service.ts';

/** From Applications to bundles and releases: the only place that loads the renderer. */
@Module({
  imports: [
    AcceptedRulesModule,
    JoinerBasesModule,
    ApplicationRecordsModule,
    ProjectsModule,
    ReleasesModule,
    RootRecordsModule,
    SettingsModule,
    SourcesModule,
  ],
  providers: [
    Renderer,
    Joiners,
    OwnerRelease,
    RenderDependencies,
    Renderings,
    RenderingService,
    jobHandlers([RenderingService, BundlesService], handlers),
  ],
  exports: [Renderer, RenderingService],
})
export class RenderingModule {}
