import { SettingsView } from '@muster/api';
import { Controller, Delete, Get, HttpCode, Inject } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { SettingsService } from './settings.service.ts';

@Controller('api/v1/settings')
export class SettingsController {
  constructor(@Inject(SettingsService) private readonly settings: SettingsService) {}

  @Get()
  @Allow('viewer')
  @Answers(SettingsView)
  get(): Promise<SettingsView> {
    return this.settings.get();
  }

  @Delete()
  @Allow('admin')
  @HttpCode(204)
  async remove(@CurrentActor() actor: Actor): Promise<void> {
    await this.settings.remove(actor);
  }
}
