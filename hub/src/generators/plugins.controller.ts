import { PluginList, PluginName, PluginView, SetPlugin } from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { PluginsService } from './plugins.service.ts';

@Controller('api/v1/plugins')
export class PluginsController {
  constructor(@Inject(PluginsService) private readonly plugins: PluginsService) {}

  @Get()
  @Allow('admin')
  @Answers(PluginList)
  list(@CurrentActor() actor: Actor): Promise<PluginList> {
    return this.plugins.list(actor);
  }

  @Put(':name')
  @Allow('admin')
  @Answers(PluginView)
  set(
    @Param('name', { schema: PluginName }) name: string,
    @Body({ schema: SetPlugin }) request: SetPlugin,
    @CurrentActor() actor: Actor,
  ): Promise<PluginView> {
    return this.plugins.set(name, request, actor);
  }

  @Delete(':name')
  @HttpCode(204)
  @Allow('admin')
  async remove(
    @Param('name', { schema: PluginName }) name: string,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.plugins.remove(name, actor);
  }
}
