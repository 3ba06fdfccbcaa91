import { Module } from '@nestjs/common';
import { SourcesModule } from '../sources/sources.module.ts';
import { ApplicationRecords } from './application-records.service.ts';
import { ApplicationsRepository } from './applications.repository.ts';

/** Applications as rows, for those that make and render them. */
@Module({
  imports: [SourcesModule],
  providers: [ApplicationsRepository, ApplicationRecords],
  exports: [ApplicationsRepository, ApplicationRecords],
})
export class ApplicationRecordsModule {}
