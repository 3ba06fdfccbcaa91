import {
  GetRollout,
  ListRolloutTargets,
  ListRollouts,
  PageQuery,
  RolloutDetail,
  RolloutList,
  RolloutLog,
  RolloutPolicyList,
  RolloutPolicyView,
  RolloutReleases,
  ReplayRollout,
  RolloutReplay,
  RolloutTargetList,
  RolloutVerb,
  RolloutView,
} from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { RolloutReads } from './reads/rollout-reads.service.ts';
import { PoliciesService } from './policies.service.ts';
import { RolloutsService } from './rollouts.service.ts';

@Controller('api/v1/rollouts')
export class RolloutsController {
  constructor(
    @Inject(RolloutsService) private readonly rollouts: RolloutsService,
    @Inject(RolloutReads) private readonly reads: RolloutReads,
  ) {}

  /** Newest first, or what somebody may have to act on first. */
  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutList)
  list(
    @Query({ schema: ListRollouts }) query: ListRollouts,
    @CurrentActor() actor: Actor,
  ): Promise<RolloutList> {
    return this.reads.list(actor, query);
  }

  /** Where it is, what it waits for and since when, what comes next. */
  @Get(':id')
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutDetail)
  get(
    @Param('id') id: string,
    @Query({ schema: GetRollout }) query: GetRollout,
    @CurrentActor() actor: Actor,
  ): Promise<RolloutDetail> {
    return this.reads.get(actor, id, query);
  }

  /** Its targets: what failed first, then what is on its way, what waits, and what is done. */
  @Get(':id/targets')
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutTargetList)
  targets(
    @Param('id') id: string,
    @Query({ schema: ListRolloutTargets }) query: ListRolloutTargets,
    @CurrentActor() actor: Actor,
  ): Promise<RolloutTargetList> {
    return this.reads.targets(actor, id, query);
  }

  /** What happened, newest first. A page holds the transitions of `limit` steps. */
  @Get(':id/log')
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutLog)
  log(
    @Param('id') id: string,
    @Query({ schema: PageQuery }) query: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<RolloutLog> {
    return this.reads.log(actor, id, query);
  }

  /** The releases that `undo` may go back to once it has ended: the newest 100 of its owner. */
  @Get(':id/releases')
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutReleases)
  releases(@Param('id') id: string, @CurrentActor() actor: Actor): Promise<RolloutReleases> {
    return this.reads.releases(actor, id);
  }

  /** How it came about: every transition with its cause, decided again. */
  @Get(':id/replay')
  @Allow('viewer', { project: 'any' })
  @Answers(RolloutReplay)
  replay(
    @Param('id') id: string,
    @Query({ schema: ReplayRollout }) query: ReplayRollout,
    @CurrentActor() actor: Actor,
  ): Promise<RolloutReplay> {
    return this.rollouts.replay(actor, id, query);
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
