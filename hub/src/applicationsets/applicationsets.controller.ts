import { ApplicationSetList, ApplicationSetView, PageQuery } from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { SetRemovals } from './set-removals.service.ts';
import { SetViews } from './set-views.service.ts';

const RemoveQuery = z.object({
  approve: z.stringbool().default(false).describe('an approver may let all Applications leave at once'),
});
type RemoveQuery = z.output<typeof RemoveQuery>;
const Reason = z.object({ reason: z.string().max(1000).optional() }).default({});
type Reason = z.output<typeof Reason>;
const Approved = z.object({ approved: z.number() });

@Controller('api/v1/applicationsets')
export class ApplicationSetsController {
  constructor(
    @Inject(SetViews) private readonly views: SetViews,
    @Inject(SetRemovals) private readonly removals: SetRemovals,
  ) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationSetList)
  list(
    @Query({ schema: PageQuery }) { limit, after }: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationSetList> {
    return this.views.list(actor, limit, after);
  }

  @Get(':namespace/:name')
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationSetView)
  get(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationSetView> {
    return this.views.get(actor, namespace, name);
  }

  /** Its Applications leave; all of them wait for an approval unless an approver asks with `approve=true`. */
  @Delete(':namespace/:name')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  async remove(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query({ schema: RemoveQuery }) { approve }: RemoveQuery,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.removals.remove(actor, namespace, name, approve);
  }

  @Post(':namespace/:name/approve-deletions')
  @HttpCode(200)
  @Allow('approver', { project: 'any' })
  @Answers(Approved)
  approve(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Body({ schema: Reason }) { reason }: Reason,
    @CurrentActor() actor: Actor,
  ): Promise<{ approved: number }> {
    return this.removals.approveDeletions(actor, namespace, name, reason);
  }
}
