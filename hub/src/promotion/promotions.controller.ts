import { PromotionList, PromotionVerb, PromotionView } from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { PromotionsService } from './promotions.service.ts';

@Controller('api/v1/promotions')
export class PromotionsController {
  constructor(@Inject(PromotionsService) private readonly promotions: PromotionsService) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(PromotionList)
  list(@CurrentActor() actor: Actor): Promise<PromotionList> {
    return this.promotions.list(actor);
  }

  /** What each environment is at, the change on its way to it, what that waits for and since when. */
  @Get(':name')
  @Allow('viewer', { project: 'any' })
  @Answers(PromotionView)
  get(@Param('name') name: string, @CurrentActor() actor: Actor): Promise<PromotionView> {
    return this.promotions.get(actor, name);
  }

  /** Needs the role operator in its project; approver to approve and reject, and one of the groups that are asked. */
  @Post(':name/verbs')
  @HttpCode(200)
  @Allow('viewer', { project: 'any' })
  @Answers(PromotionView)
  ask(
    @Param('name') name: string,
    @Body({ schema: PromotionVerb }) asked: PromotionVerb,
    @CurrentActor() actor: Actor,
  ): Promise<PromotionView> {
    return this.promotions.ask(actor, name, asked);
  }

  /** Pull requests that are open stay so. */
  @Delete(':name')
  @HttpCode(204)
  @Allow('admin')
  async remove(@Param('name') name: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.promotions.remove(actor, name);
  }
}
