import { CreatedJoinToken, JoinTokenList, type JoinTokenView, NewJoinToken } from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { JoinTokensService } from './join-tokens.service.ts';

/** Tokens that let a cluster join under one name. */
@Controller('api/v1/join-tokens')
export class JoinTokensController {
  constructor(@Inject(JoinTokensService) private readonly tokens: JoinTokensService) {}

  @Get()
  @Allow('admin')
  @Answers(JoinTokenList)
  async list(): Promise<{ items: JoinTokenView[] }> {
    return { items: await this.tokens.list() };
  }

  @Post()
  @Allow('admin')
  @Answers(CreatedJoinToken, 201)
  create(
    @Body({ schema: NewJoinToken }) wanted: NewJoinToken,
    @CurrentActor() actor: Actor,
  ): Promise<CreatedJoinToken> {
    return this.tokens.create(wanted, actor);
  }

  @Delete(':id')
  @HttpCode(204)
  @Allow('admin')
  async revoke(@Param('id', new ParseUUIDPipe()) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.tokens.revoke(id, actor);
  }
}
