import { Module } from '@nestjs/common';
import { DependenciesService } from './dependencies/dependencies.service.ts';
import { DependencyFacts } from './dependencies/dependency-facts.repository.ts';
import { WaitsRepository } from './dependencies/waits.repository.ts';
import { DependencyWaits } from './dependencies/waits.service.ts';
import { HoldsRepository } from './holds.repository.ts';
import { Holds } from './holds.service.ts';
import { RolloutTriggers } from './rollout-triggers.service.ts';
import { TriggersRepository } from './triggers.repository.ts';

/** What those need who sign and who hear of targets; it knows nobody but the database and the outbox. */
@Module({
  providers: [
    DependenciesService,
    DependencyFacts,
    DependencyWaits,
    WaitsRepository,
    HoldsRepository,
    TriggersRepository,
    Holds,
    RolloutTriggers,
  ],
  exports: [DependenciesService, DependencyWaits, HoldsRepository, Holds, RolloutTriggers],
})
export class RolloutHoldsModule {}
