import { Module } from '@nestjs/common';
import { SourcesModule } from '../sources/sources.module.ts';
import { ApplicationChangesRepository } from './application-changes.repository.ts';
import { ApplicationRecords } from './application-records.service.ts';
import { ApplicationsRepository } from './applications.repository.ts';

/** Applications as rows, for those that make and render them. */
@Module({
  imports: [SourcesModule],
  providers: [ApplicationsRepository, ApplicationChangesRepository, ApplicationRecords],
  exports: [ApplicationsRepository, ApplicationRecords],
})
export class ApplicationRecordsModule {}
