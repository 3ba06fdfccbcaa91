import { Module } from '@nestjs/common';
import { DependencyCyclesModule } from '../rollouts/dependencies/dependency-cycles.module.ts';
import { SourcesModule } from '../sources/sources.module.ts';
import { ApplicationChangesRepository } from './application-changes.repository.ts';
import { ApplicationRecords } from './application-records.service.ts';
import { ApplicationsRepository } from './applications.repository.ts';

/** Applications as rows, for those that make and render them. */
@Module({
  imports: [DependencyCyclesModule, SourcesModule],
  providers: [ApplicationsRepository, ApplicationChangesRepository, ApplicationRecords],
  exports: [ApplicationsRepository, ApplicationRecords],
})
export class ApplicationRecordsModule {}
