import { ApplyRequest, ApplyResult } from '@muster/api';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { ApplyService } from './apply.service.ts';

@Controller('api/v1/apply')
export class ApplyController {
  constructor(@Inject(ApplyService) private readonly documents: ApplyService) {}

  /** Needs the role operator in each document's project, admin for projects; checked per document. */
  @Post()
  @HttpCode(200)
  @Allow('operator', { project: 'any' })
  @Answers(ApplyResult)
  apply(
    @Body({ schema: ApplyRequest }) request: ApplyRequest,
    @CurrentActor() actor: Actor,
  ): Promise<ApplyResult> {
    return this.documents.apply(request, actor);
  }
}
