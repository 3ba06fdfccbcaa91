import { KeysView, RotateKeys } from '@muster/api';
import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { RotationService } from './rotation.service.ts';

/** Signing keys: which sign, and which clusters know them. */
@Controller('api/v1/keys')
export class KeysController {
  constructor(@Inject(RotationService) private readonly rotation: RotationService) {}

  @Get()
  @Allow('admin')
  @Answers(KeysView)
  get(): Promise<KeysView> {
    return this.rotation.view();
  }

  @Post('rotate')
  @HttpCode(200)
  @Allow('admin')
  @Answers(KeysView)
  rotate(@Body({ schema: RotateKeys }) body: RotateKeys, @CurrentActor() actor: Actor): Promise<KeysView> {
    return body.activate
      ? this.rotation.activate(actor, body.reason)
      : this.rotation.rotate(actor, body.reason);
  }
}
