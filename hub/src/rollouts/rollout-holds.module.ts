import { Module } from '@nestjs/common';
import { HoldsRepository } from './holds.repository.ts';
import { Holds } from './holds.service.ts';
import { RolloutTriggers } from './rollout-triggers.service.ts';
import { TriggersRepository } from './triggers.repository.ts';

/** What those need who sign and who hear of targets; it knows nobody but the database and the outbox. */
@Module({
  providers: [HoldsRepository, TriggersRepository, Holds, RolloutTriggers],
  exports: [HoldsRepository, Holds, RolloutTriggers],
})
export class RolloutHoldsModule {}
