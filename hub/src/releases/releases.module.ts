import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.ts';
import { RolloutStartsModule } from '../rollouts/rollout-starts.module.ts';
import { BundlesModule } from './bundles.module.ts';
import { ReleasesRepository } from './releases.repository.ts';
import { ReleasesService } from './releases.service.ts';

/** Bundles by digest, and releases that name them. */
@Module({
  imports: [AssignmentsModule, BundlesModule, RolloutStartsModule],
  providers: [ReleasesRepository, ReleasesService],
  exports: [BundlesModule, ReleasesService],
})
export class ReleasesModule {}
