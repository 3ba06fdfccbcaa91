import {
  ListRollouts,
  RolloutDetail,
  RolloutList,
  RolloutPolicyList,
  RolloutPolicyView,
  RolloutReplay,
  RolloutVerb,
  RolloutView,
} from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { PoliciesService } from './policies.service.ts';
import { RolloutsService } from './rollouts.service.ts';

@Controller('api/v1/rollouts')
export class RolloutsController {
  constructor(@Inject(RolloutsService) private readonly rollouts: RolloutsService) {}

  /** Newest first. */
  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutList)
  list(
    @Query({ schema: ListRollouts }) query: ListRollouts,
    @CurrentActor() actor: Actor,
  ): Promise<RolloutList> {
    return this.rollouts.list(actor, query);
  }

  /** Where it is, what it waits for and since when, what comes next. */
  @Get(':id')
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutDetail)
  get(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<RolloutDetail> {
    return this.rollouts.get(actor, id);
  }

  /** How it came about: every transition with its cause, decided again. */
  @Get(':id/replay')
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutReplay)
  replay(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<RolloutReplay> {
    return this.rollouts.replay(actor, id);
  }

  /** Needs the role operator in its project; approver to approve and reject, and one of the groups that the gate names. */
  @Post(':id/verbs')
  @HttpCode(200)
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutView)
  ask(
    @Param('id') id: string,
    @Body({ schema: RolloutVerb }) asked: RolloutVerb,
    @CurrentActor() actor: Actor,
  ): Promise<RolloutView> {
    return this.rollouts.ask(actor, id, asked);
  }
}

@Controller('api/v1/rollout-policies')
export class RolloutPoliciesController {
  constructor(@Inject(PoliciesService) private readonly policies: PoliciesService) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutPolicyList)
  list(): Promise<RolloutPolicyList> {
    return this.policies.list();
  }

  @Get(':name')
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutPolicyView)
  get(@Param('name') name: string): Promise<RolloutPolicyView> {
    return this.policies.get(name);
  }

  /** Rollouts that have begun go on; sets that name it get nothing newer until it is there again. */
  @Delete(':name')
  @HttpCode(204)
  @Allow('admin')
  async remove(@Param('name') name: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.policies.remove(actor, name);
  }
}
