import { Module } from '@nestjs/common';
import { jobHandlers } from '../queue/jobs.ts';
import { TopicsModule } from '../generators/topics.module.ts';
import { ChartDependenciesRepository } from './chart-dependencies.repository.ts';
import { ChartDependenciesService } from './chart-dependencies.service.ts';
import { ChartsService } from './charts/charts.service.ts';
import { CommitLogs } from './commit-logs.service.ts';
import { LookUps } from './look-ups.service.ts';
import { RepositoryPushes } from './pushes/repository-pushes.service.ts';
import { RepositoriesController } from './repositories.controller.ts';
import { RepositoriesService } from './repositories.service.ts';
import { RepositoryAccess } from './repository-access.service.ts';
import { PullRequestsService } from './scm/pull-requests.service.ts';
import { ScmService } from './scm/scm.service.ts';
import { SourceChanges } from './source-changes.ts';
import { SourcesRepository } from './sources.repository.ts';
import { SourcesService } from './sources.service.ts';
import { handlers } from './sources.worker.ts';
import { WebhooksController } from './webhooks.controller.ts';
import { WebhooksService } from './webhooks.service.ts';

/** Repositories and the hosts that keep them: the only place that starts git. */
@Module({
  imports: [TopicsModule],
  controllers: [RepositoriesController, WebhooksController],
  providers: [
    SourcesRepository,
    SourceChanges,
    RepositoryAccess,
    ChartsService,
    SourcesService,
    ChartDependenciesRepository,
    ChartDependenciesService,
    LookUps,
    CommitLogs,
    RepositoriesService,
    ScmService,
    PullRequestsService,
    RepositoryPushes,
    WebhooksService,
    jobHandlers([SourcesService], handlers),
  ],
  exports: [
    ChartDependenciesService,
    CommitLogs,
    LookUps,
    PullRequestsService,
    RepositoryPushes,
    ScmService,
    SourceChanges,
    SourcesService,
  ],
})
export class SourcesModule {}
