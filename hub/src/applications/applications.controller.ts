import {
  ApplicationDetail,
  ApplicationDiff,
  ApplicationHistory,
  ApplicationList,
  ApplicationManifests,
  ApplicationWindows,
  ApplicationResources,
  ApplicationRevision,
  CommandStarted,
  ConfirmRequest,
  DeleteApplication,
  ListApplications,
  SyncRequest,
} from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { ApplicationActions } from './application-actions.service.ts';
import { ApplicationRemovals } from './application-removals.service.ts';
import { ApplicationRevisions } from './application-revisions.service.ts';
import { ApplicationViews } from './application-views.service.ts';

/** How long commits are looked for: a mirror may have to be fetched. */
const LOOK_MS = 60_000;
const Sync = SyncRequest.default({ dryRun: false });
type Sync = z.output<typeof Sync>;
const Confirm = ConfirmRequest.default({});
const Refreshed = CommandStarted.partial().meta({ id: 'Refreshed' });
type Refreshed = z.output<typeof Refreshed>;

@Controller('api/v1/applications')
export class ApplicationsController {
  constructor(
    @Inject(ApplicationViews) private readonly views: ApplicationViews,
    @Inject(ApplicationActions) private readonly actions: ApplicationActions,
    @Inject(ApplicationRemovals) private readonly removals: ApplicationRemovals,
    @Inject(ApplicationRevisions) private readonly revisions: ApplicationRevisions,
  ) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationList)
  list(
    @Query({ schema: ListApplications }) query: ListApplications,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationList> {
    return this.views.list(actor, query);
  }

  @Get(':namespace/:name')
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationDetail)
  get(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationDetail> {
    return this.views.get(actor, namespace, name);
  }

  @Get(':namespace/:name/history')
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationHistory)
  history(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationHistory> {
    return this.views.history(actor, namespace, name);
  }

  /** Whether it is at a commit, or beyond it. */
  @Get(':namespace/:name/revisions/:commit')
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationRevision)
  revision(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Param('commit') commit: string,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationRevision> {
    return this.revisions.of(actor, namespace, name, commit, AbortSignal.timeout(LOOK_MS));
  }

  @Get(':namespace/:name/resources')
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationResources)
  resources(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationResources> {
    return this.views.resources(actor, namespace, name);
  }

  @Get(':namespace/:name/manifests')
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationManifests)
  manifests(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationManifests> {
    return this.views.manifests(actor, namespace, name);
  }

  @Get(':namespace/:name/windows')
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationWindows)
  windows(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationWindows> {
    return this.actions.windows(actor, namespace, name);
  }

  @Get(':namespace/:name/diff')
  @Allow('viewer', { project: 'any' })
  @Answers(ApplicationDiff)
  diff(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<ApplicationDiff> {
    return this.actions.diff(actor, namespace, name);
  }

  @Post(':namespace/:name/sync')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  @Answers(CommandStarted, 202)
  sync(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Body({ schema: Sync }) request: Sync,
    @CurrentActor() actor: Actor,
  ): Promise<CommandStarted> {
    return this.actions.sync(actor, namespace, name, request);
  }

  @Post(':namespace/:name/refresh')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  @Answers(Refreshed, 202)
  async refresh(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<Refreshed> {
    return (await this.actions.refresh(actor, namespace, name)) ?? {};
  }

  @Post(':namespace/:name/terminate')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  @Answers(CommandStarted, 202)
  terminate(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<CommandStarted> {
    return this.actions.terminate(actor, namespace, name);
  }

  /** Lets go what a guard holds back until someone confirms. */
  @Post(':namespace/:name/confirm')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  @Answers(CommandStarted, 202)
  confirm(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Body({ schema: Confirm }) request: ConfirmRequest,
    @CurrentActor() actor: Actor,
  ): Promise<CommandStarted> {
    return this.actions.confirm(actor, namespace, name, request);
  }

  @Post(':namespace/:name/restore')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  async restore(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.removals.restore(actor, namespace, name);
  }

  /** It leaves after the grace time; `cascade` overrides what its finalizer says. */
  @Delete(':namespace/:name')
  @HttpCode(202)
  @Allow('operator', { project: 'any' })
  async remove(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query({ schema: DeleteApplication }) { cascade }: DeleteApplication,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.removals.remove(actor, namespace, name, cascade);
  }
}
