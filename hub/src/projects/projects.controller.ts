import { ProjectList, ProjectView, ProjectWindows } from '@muster/api';
import { Controller, Delete, Get, HttpCode, Inject, Param } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { ProjectsService } from './projects.service.ts';

const project = (request: FastifyRequest) => (request.params as { name: string }).name;

@Controller('api/v1/projects')
export class ProjectsController {
  constructor(@Inject(ProjectsService) private readonly projects: ProjectsService) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(ProjectList)
  list(@CurrentActor() actor: Actor): Promise<ProjectList> {
    return this.projects.list(actor);
  }

  @Get(':name')
  @Allow('viewer', { project })
  @Answers(ProjectView)
  get(@Param('name') name: string): Promise<ProjectView> {
    return this.projects.get(name);
  }

  @Get(':name/windows')
  @Allow('viewer', { project })
  @Answers(ProjectWindows)
  windows(@Param('name') name: string): Promise<ProjectWindows> {
    return this.projects.windows(name);
  }

  @Delete(':name')
  @Allow('admin')
  @HttpCode(204)
  async remove(@Param('name') name: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.projects.remove(name, actor);
  }
}
