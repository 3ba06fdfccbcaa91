import { ApplyDecisions, DecisionKey, DecisionList } from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Put, Query } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { DecisionsService } from './decisions.service.ts';

@Controller('api/v1/decisions')
export class DecisionsController {
  constructor(@Inject(DecisionsService) private readonly decisions: DecisionsService) {}

  @Get()
  @Allow('viewer')
  @Answers(DecisionList)
  list(@CurrentActor() actor: Actor): Promise<DecisionList> {
    return this.decisions.list(actor);
  }

  /** All or nothing; what is there under the same name is replaced, the rest stays. */
  @Put()
  @Allow('operator')
  @Answers(DecisionList)
  apply(
    @Body({ schema: ApplyDecisions }) request: ApplyDecisions,
    @CurrentActor() actor: Actor,
  ): Promise<DecisionList> {
    return this.decisions.apply(request, actor);
  }

  @Delete()
  @HttpCode(204)
  @Allow('operator')
  async remove(
    @Query({ schema: DecisionKey }) key: DecisionKey,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.decisions.remove(key, actor);
  }
}
