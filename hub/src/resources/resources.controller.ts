import {
  CommandStarted,
  GetEvents,
  GetLogs,
  GetResource,
  ResourceAction,
  ResourceEvents,
  ResourceTree,
  ResourceView,
} from '@muster/api';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { LogStream } from './log-stream.ts';
import { ResourcesService } from './resources.service.ts';

/** Objects in clusters, through their agents. Whoever hangs up ends the work in the cluster too. */
@Controller('api/v1/applications/:namespace/:name/resources')
export class ResourcesController {
  constructor(@Inject(ResourcesService) private readonly service: ResourcesService) {}

  /** The objects of the Application and what they own, looked at now. */
  @Get('tree')
  @Allow('viewer', { project: 'any' })
  @Answers(ResourceTree)
  async tree(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResourceTree> {
    return this.service.tree(actor, namespace, name, hungUp(reply));
  }

  /** One object: as it is, as Git says, and the difference. */
  @Get('resource')
  @Allow('viewer', { project: 'any' })
  @Answers(ResourceView)
  async resource(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query({ schema: GetResource }) query: GetResource,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResourceView> {
    return this.service.resource(actor, namespace, name, query, hungUp(reply));
  }

  @Get('events')
  @Allow('viewer', { project: 'any' })
  @Answers(ResourceEvents)
  async events(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query({ schema: GetEvents }) query: GetEvents,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ResourceEvents> {
    return this.service.events(actor, namespace, name, query, hungUp(reply));
  }

  /** Lines of JSON: `{"line": …}` for each line, at last `{"end": …}` or `{"problem": …}`; `{}` now and then meanwhile. */
  @Get('logs')
  @Allow('operator', { project: 'any' })
  async logs(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query({ schema: GetLogs }) query: GetLogs,
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const signal = hungUp(reply);
    const lines = this.service.logs(actor, namespace, name, query, signal);
    await new LogStream(request, reply).send(lines);
  }

  /** Restarts, scales, deletes, promotes… one object; GET /commands/{id} tells what came of it. */
  @Post('actions')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  @Answers(CommandStarted, 202)
  act(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Body({ schema: ResourceAction }) request: ResourceAction,
    @CurrentActor() actor: Actor,
  ): Promise<CommandStarted> {
    return this.service.act(actor, namespace, name, request);
  }
}

/** Aborted when whoever asks is gone, or has the whole answer. */
function hungUp(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
