import { Module } from '@nestjs/common';
import { AssignmentsModule } from '../assignments/assignments.module.ts';
import { RecoveryController } from './recovery.controller.ts';
import { UnclaimedController } from './unclaimed.controller.ts';
import { UnclaimedRepository } from './unclaimed.repository.ts';
import { UnclaimedService } from './unclaimed.service.ts';

/** Unclaimed Applications need assignments, which need recovery: so it is a module of its own. */
@Module({
  imports: [AssignmentsModule],
  controllers: [RecoveryController, UnclaimedController],
  providers: [UnclaimedRepository, UnclaimedService],
  exports: [UnclaimedService],
})
export class UnclaimedModule {}
