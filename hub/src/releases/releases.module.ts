import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.ts';
import { RolloutStartsModule } from '../rollouts/rollout-starts.module.ts';
import { BundlesRepository } from './bundles.repository.ts';
import { BundlesService } from './bundles.service.ts';
import { ReleasesRepository } from './releases.repository.ts';
import { ReleasesService } from './releases.service.ts';

/** Bundles by digest, and releases that name them. */
@Module({
  imports: [AssignmentsModule, RolloutStartsModule],
  providers: [BundlesRepository, BundlesService, ReleasesRepository, ReleasesService],
  exports: [BundlesService, ReleasesService],
})
export class ReleasesModule {}
