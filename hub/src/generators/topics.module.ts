import { Module } from '@nestjs/common';
import { Topics } from './topics.ts';

/** Between those who learn of changes and those who expand. */
@Module({ providers: [Topics], exports: [Topics] })
export class TopicsModule {}
