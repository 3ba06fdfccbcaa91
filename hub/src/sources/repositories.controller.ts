import { AddRepository, PageQuery, RefreshRepository, RepositoryList, RepositoryView } from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { RepositoriesService } from './repositories.service.ts';

const Id = z.uuid();

@Controller('api/v1/repositories')
export class RepositoriesController {
  constructor(@Inject(RepositoriesService) private readonly repositories: RepositoriesService) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(RepositoryList)
  list(
    @Query({ schema: PageQuery }) { limit, after }: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<RepositoryList> {
    return this.repositories.list(actor, limit, after);
  }

  /** Needs the role admin, in the repository's project where it names one. */
  @Post()
  @Allow('admin', { project: 'any' })
  @Answers(RepositoryView, 201)
  add(
    @Body({ schema: AddRepository }) request: AddRepository,
    @CurrentActor() actor: Actor,
  ): Promise<RepositoryView> {
    return this.repositories.add(request, actor);
  }

  @Delete(':id')
  @HttpCode(204)
  @Allow('admin', { project: 'any' })
  async remove(@Param('id', { schema: Id }) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.repositories.remove(id, actor);
  }

  /** Fetches it now; accepting what is offered in place of what is held needs the role admin. */
  @Post(':id/refresh')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  async refresh(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: RefreshRepository }) { accept }: RefreshRepository,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.repositories.refresh(id, actor, accept);
  }
}
