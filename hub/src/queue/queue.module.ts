import { Global, Module } from '@nestjs/common';
import { Outbox } from './outbox.ts';
import { JobRegistry } from './registry.ts';

@Global()
@Module({ providers: [Outbox, JobRegistry], exports: [Outbox, JobRegistry] })
export class QueueModule {}
