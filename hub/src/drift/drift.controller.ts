import { AcceptDrift, AcceptedDrift, ForgetDrift } from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { DriftService } from './drift.service.ts';

@Controller('api/v1/applications/:namespace/:name/accepted-drift')
export class DriftController {
  constructor(@Inject(DriftService) private readonly drift: DriftService) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(AcceptedDrift)
  list(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<AcceptedDrift> {
    return this.drift.list(actor, namespace, name);
  }

  @Post()
  @HttpCode(200)
  @Allow('operator', { project: 'any' })
  @Answers(AcceptedDrift)
  accept(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Body({ schema: AcceptDrift }) request: AcceptDrift,
    @CurrentActor() actor: Actor,
  ): Promise<AcceptedDrift> {
    return this.drift.accept(actor, namespace, name, request);
  }

  @Delete()
  @HttpCode(204)
  @Allow('operator', { project: 'any' })
  async forget(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query({ schema: ForgetDrift }) which: ForgetDrift,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.drift.forget(actor, namespace, name, which);
  }
}
