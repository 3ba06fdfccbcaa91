import { AskWhy, WhyView } from '@muster/api';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { WhyService } from './why.service.ts';

@Controller('api/v1/why')
export class WhyController {
  constructor(@Inject(WhyService) private readonly reasons: WhyService) {}

  /** What blocks an Application, or the Applications of an ApplicationSet: what blocks now first, then what comes after it. */
  @Get(':namespace/:name')
  @Allow('viewer', { project: 'any' })
  @Answers(WhyView)
  get(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query({ schema: AskWhy }) query: AskWhy,
    @CurrentActor() actor: Actor,
  ): Promise<WhyView> {
    return this.reasons.why(actor, namespace, name, query);
  }
}
