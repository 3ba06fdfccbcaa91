import { Module } from '@nestjs/common';
import { DecisionsController } from './decisions.controller.ts';
import { DecisionsRepository } from './decisions.repository.ts';
import { DecisionsService } from './decisions.service.ts';
import { PluginsController } from './plugins.controller.ts';
import { PluginsRepository } from './plugins.repository.ts';
import { PluginsService } from './plugins.service.ts';
import { TopicsModule } from './topics.module.ts';

/** What generators ask besides clusters, Git and hosts: plugins, and decisions on clusters. */
@Module({
  imports: [TopicsModule],
  controllers: [PluginsController, DecisionsController],
  providers: [PluginsRepository, PluginsService, DecisionsRepository, DecisionsService],
  exports: [PluginsService, DecisionsService],
})
export class GeneratorsModule {}
