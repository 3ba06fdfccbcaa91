import { Module } from '@nestjs/common';
import { jobHandlers } from '../queue/jobs.ts';
import { RepositoriesController } from './repositories.controller.ts';
import { RepositoriesService } from './repositories.service.ts';
import { SourceChanges } from './source-changes.ts';
import { SourcesRepository } from './sources.repository.ts';
import { SourcesService } from './sources.service.ts';
import { handlers } from './sources.worker.ts';
import { WebhooksController } from './webhooks.controller.ts';
import { WebhooksService } from './webhooks.service.ts';

/** Repositories: the only place that starts git. */
@Module({
  controllers: [RepositoriesController, WebhooksController],
  providers: [
    SourcesRepository,
    SourceChanges,
    SourcesService,
    RepositoriesService,
    WebhooksService,
    jobHandlers([SourcesService], handlers),
  ],
  exports: [SourceChanges, SourcesService],
})
export class SourcesModule {}
