import { CommandView, GetCommand } from '@muster/api';
import { MusterError } from '@muster/base';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { CommandsService } from './commands.service.ts';

/** What was asked of a cluster, and what came of it. */
@Controller('api/v1/commands')
export class CommandsController {
  constructor(
    @Inject(CommandsService) private readonly commands: CommandsService,
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  @Get(':id')
  @Allow('viewer', { project: 'any' })
  @Answers(CommandView)
  async get(
    @Param('id') id: string,
    @Query({ schema: GetCommand }) query: GetCommand,
    @CurrentActor() actor: Actor,
  ): Promise<CommandView> {
    const project = await this.commands.projectOf(id);
    if (!this.access.allows(actor, 'viewer', project))
      throw new MusterError('not-found', `there is no command ${id}`);
    if (query.wait > 0)
      await this.commands.wait(id, AbortSignal.timeout(query.wait * 1000)).catch(onlyTimeout);
    const row = await this.commands.get(id);
    const [cluster] = await this.clusters.byIds([row.cluster_id]);
    return {
      id: row.id,
      cluster: cluster?.name ?? row.cluster_id,
      ...(row.application_name
        ? { application: `${row.application_namespace}/${row.application_name}` }
        : {}),
      verb: row.verb as CommandView['verb'],
      actor: row.actor,
      ...(row.reason ? { reason: row.reason } : {}),
      createdAt: row.created_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      ...(row.sent_at ? { sentAt: row.sent_at.toISOString() } : {}),
      ...(row.outcome ? { outcome: row.outcome, message: row.message ?? '' } : {}),
      ...(row.finished_at ? { finishedAt: row.finished_at.toISOString() } : {}),
    };
  }
}

function onlyTimeout(error: unknown): void {
  if (MusterError.from(error).code !== 'unavailable') throw error;
}
