import { ConfirmRecovery, RecoveryView } from '@muster/api';
import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { RecoveryService } from './recovery.service.ts';
import { UnclaimedService } from './unclaimed.service.ts';

/** A hub whose database is older than what it once assigned. */
@Controller('api/v1/recovery')
export class RecoveryController {
  constructor(
    @Inject(RecoveryService) private readonly recovery: RecoveryService,
    @Inject(UnclaimedService) private readonly unclaimed: UnclaimedService,
    @Inject(ClustersService) private readonly clusters: ClustersService,
  ) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(RecoveryView)
  async get(): Promise<RecoveryView> {
    const [state, unclaimed, counts] = await Promise.all([
      this.recovery.state(),
      this.unclaimed.count(),
      this.clusters.counts(),
    ]);
    const { epoch, generation } = state.highestHeard;
    return {
      recovering: state.recovering,
      ...(state.since ? { since: state.since.toISOString(), reason: state.reason ?? '' } : {}),
      epoch: String(state.epoch),
      highestHeard: { epoch: String(epoch), generation: String(generation) },
      recoveredClusters: counts
        .filter((row) => row.state === 'recovered')
        .reduce((sum, row) => sum + row.count, 0),
      unclaimed,
      ...(state.confirmedAt
        ? { confirmedAt: state.confirmedAt.toISOString(), confirmedBy: state.confirmedBy ?? '' }
        : {}),
    };
  }

  @Post('confirm')
  @HttpCode(200)
  @Allow('admin')
  @Answers(RecoveryView)
  async confirm(
    @Body({ schema: ConfirmRecovery }) body: ConfirmRecovery,
    @CurrentActor() actor: Actor,
  ): Promise<RecoveryView> {
    await this.recovery.confirm(actor, body.reason);
    return this.get();
  }
}
