import { Global, Module } from '@nestjs/common';
import { DATABASE, type Db } from '../store/database.ts';
import { AuditController } from './audit.controller.ts';
import { AuditRepository } from './audit.repository.ts';
import { Audit } from './audit.ts';

@Global()
@Module({
  controllers: [AuditController],
  providers: [
    Audit,
    { provide: AuditRepository, inject: [DATABASE], useFactory: (db: Db) => new AuditRepository(db) },
  ],
  exports: [Audit],
})
export class AuditModule {}
