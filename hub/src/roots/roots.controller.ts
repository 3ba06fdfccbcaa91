import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { ApplicationViews } from '../applications/application-views.service.ts';
import { RootRemovals } from './root-removals.service.ts';

const Reason = z.object({ reason: z.string().max(1000).optional() }).default({});
type Reason = z.output<typeof Reason>;
const Approved = z.object({ approved: z.number() });

@Controller('api/v1/applications')
export class RootsController {
  constructor(
    @Inject(ApplicationViews) private readonly views: ApplicationViews,
    @Inject(RootRemovals) private readonly removals: RootRemovals,
  ) {}

  /** Lets the children go whose removal an app of apps holds back; needs the role approver in their projects too. */
  @Post(':namespace/:name/approve-deletions')
  @HttpCode(200)
  @Allow('approver', { project: 'any' })
  @Answers(Approved)
  async approve(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Body({ schema: Reason }) { reason }: Reason,
    @CurrentActor() actor: Actor,
  ): Promise<{ approved: number }> {
    return this.removals.approve(actor, await this.views.visible(actor, namespace, name), reason);
  }
}
