import { Module } from '@nestjs/common';
import { ApplicationRecordsModule } from '../applications/application-records.module.ts';
import { SetManifests } from '../applicationsets/set-manifests.ts';
import { BundlesModule } from '../releases/bundles.module.ts';
import { FactsRepository } from './facts.repository.ts';
import { PoliciesRepository } from './policies.repository.ts';
import { PoliciesService } from './policies.service.ts';
import { PolicyChoices } from './policy-choices.service.ts';
import { RolloutClock } from './rollout-clock.ts';
import { ReleaseRemovals } from './release-removals.service.ts';
import { RolloutHoldsModule } from './rollout-holds.module.ts';
import { RolloutRecords } from './rollout-records.service.ts';
import { RolloutStarts } from './rollout-starts.service.ts';
import { RolloutsRepository } from './rollouts.repository.ts';

const services = [
  FactsRepository,
  PoliciesRepository,
  PoliciesService,
  PolicyChoices,
  ReleaseRemovals,
  RolloutClock,
  RolloutRecords,
  RolloutStarts,
  RolloutsRepository,
];

/** How a release becomes a rollout. */
@Module({
  imports: [RolloutHoldsModule, ApplicationRecordsModule, BundlesModule],
  providers: [SetManifests, ...services],
  exports: services,
})
export class RolloutStartsModule {}
