import { Global, Module } from '@nestjs/common';
import { RecoveryRepository } from './recovery.repository.ts';
import { RecoveryService } from './recovery.service.ts';

/** Whether and under which epoch the hub may sign. */
@Global()
@Module({ providers: [RecoveryRepository, RecoveryService], exports: [RecoveryService] })
export class RecoveryModule {}
