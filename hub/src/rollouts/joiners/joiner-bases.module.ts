import { Module } from '@nestjs/common';
import { BaseReleases } from './base-releases.repository.ts';
import { JoinerBases } from './joiner-bases.service.ts';

/** For those who render; it knows nobody but the database. */
@Module({ providers: [BaseReleases, JoinerBases], exports: [JoinerBases] })
export class JoinerBasesModule {}
