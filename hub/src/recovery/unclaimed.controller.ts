import { ActOnUnclaimed, ListUnclaimed, UnclaimedAct, UnclaimedPage } from '@muster/api';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { decodeCursor, encodeCursor } from '../api/paging.ts';
import { UnclaimedService } from './unclaimed.service.ts';

/** What clusters hold and this hub does not know. */
@Controller('api/v1/unclaimed')
export class UnclaimedController {
  constructor(@Inject(UnclaimedService) private readonly unclaimed: UnclaimedService) {}

  @Get()
  @Allow('viewer')
  @Answers(UnclaimedPage)
  async list(@Query({ schema: ListUnclaimed }) query: ListUnclaimed): Promise<UnclaimedPage> {
    const rows = await this.unclaimed.list({
      ...(query.cluster ? { cluster: query.cluster } : {}),
      ...(query.after ? { after: decodeCursor(query.after, 3) as [string, string, string] } : {}),
      limit: query.limit + 1,
    });
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      items: shown.map((row) => ({
        cluster: row.cluster,
        namespace: row.application_namespace,
        name: row.application_name,
        version: { epoch: String(row.epoch), generation: String(row.generation) },
        seenAt: row.seen_at.toISOString(),
        known: row.known,
      })),
      ...(rows.length > query.limit && last
        ? { next: encodeCursor(last.cluster, last.application_namespace, last.application_name) }
        : {}),
    };
  }

  @Post(':cluster/:namespace/:name/:act')
  @HttpCode(204)
  @Allow('admin')
  async act(
    @Param('cluster') cluster: string,
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Param('act', { schema: UnclaimedAct }) act: UnclaimedAct,
    @Body({ schema: ActOnUnclaimed }) body: ActOnUnclaimed,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.unclaimed.act({ cluster, namespace, name }, act, actor, body.reason);
  }
}
