import { Module } from '@nestjs/common';
import { ReleasesModule } from '../releases/releases.module.ts';
import { Roots } from './roots.service.ts';
import { RootsRepository } from './roots.repository.ts';

/** Roots as rows, for those that render, show and sync Applications. */
@Module({
  imports: [ReleasesModule],
  providers: [RootsRepository, Roots],
  exports: [RootsRepository, Roots],
})
export class RootRecordsModule {}
