import { Module } from '@nestjs/common';
import { BundlesRepository } from './bundles.repository.ts';
import { BundlesService } from './bundles.service.ts';

/** Bundles by digest. */
@Module({ providers: [BundlesRepository, BundlesService], exports: [BundlesService] })
export class BundlesModule {}
