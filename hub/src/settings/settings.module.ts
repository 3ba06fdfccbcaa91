import { Module } from '@nestjs/common';
import { ApplicationRecordsModule } from '../applications/application-records.module.ts';
import { ReleasesModule } from '../releases/releases.module.ts';
import { SettingsController } from './settings.controller.ts';
import { SettingsRepository } from './settings.repository.ts';
import { SettingsService } from './settings.service.ts';

/** Settings of the whole hub. */
@Module({
  imports: [ApplicationRecordsModule, ReleasesModule],
  controllers: [SettingsController],
  providers: [SettingsRepository, SettingsService],
  exports: [SettingsService],
})
export class SettingsModule {}
