import { Module } from '@nestjs/common';
import { ReleasesModule } from '../releases/releases.module.ts';
import { SourcesModule } from '../sources/sources.module.ts';
import { Comparisons } from './comparisons.service.ts';
import { ComparisonsRepository } from './comparisons.repository.ts';
import { ReleasesController } from './releases.controller.ts';

/** Releases as users see them, and what is different between them. */
@Module({
  imports: [ReleasesModule, SourcesModule],
  controllers: [ReleasesController],
  providers: [Comparisons, ComparisonsRepository],
  exports: [Comparisons],
})
export class ComparisonsModule {}
