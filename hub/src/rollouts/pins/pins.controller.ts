import { PinRequest, Pinned, UnpinRequest, Unpinned } from '@muster/api';
import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import type { Actor } from '../../access/actor.ts';
import { Allow, CurrentActor } from '../../access/decorators.ts';
import { Answers } from '../../api/answers.ts';
import { PinsService } from './pins.service.ts';

@Controller('api/v1/applications')
export class PinsController {
  constructor(@Inject(PinsService) private readonly pins: PinsService) {}

  /** Keeps it at one release: no rollout moves it, and no newer release. */
  @Post(':namespace/:name/pin')
  @HttpCode(200)
  @Allow('operator', { project: 'any' })
  @Answers(Pinned)
  pin(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Body({ schema: PinRequest }) request: PinRequest,
    @CurrentActor() actor: Actor,
  ): Promise<Pinned> {
    return this.pins.pin(actor, namespace, name, request);
  }

  /** It gets what it would hold had nobody pinned it, and no release before its turn. */
  @Post(':namespace/:name/unpin')
  @HttpCode(200)
  @Allow('operator', { project: 'any' })
  @Answers(Unpinned)
  unpin(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Body({ schema: UnpinRequest }) request: UnpinRequest,
    @CurrentActor() actor: Actor,
  ): Promise<Unpinned> {
    return this.pins.unpin(actor, namespace, name, request);
  }
}
