import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { jobHandlers } from '../queue/jobs.ts';
import { DATABASE, type Db } from '../store/database.ts';
import {
  GroupsController,
  RoleBindingsController,
  SessionController,
  TokensController,
  UsersController,
} from './access.controller.ts';
import { AccessGuard } from './access.guard.ts';
import { AccessRepository } from './access.repository.ts';
import { AccessService } from './access.service.ts';
import { handlers } from './access.worker.ts';
import { Authentication } from './authentication.ts';
import { DirectoryService } from './directory.service.ts';
import { FirstAdmin } from './first-admin.ts';

@Global()
@Module({
  controllers: [
    SessionController,
    UsersController,
    GroupsController,
    RoleBindingsController,
    TokensController,
  ],
  providers: [
    { provide: AccessRepository, inject: [DATABASE], useFactory: (db: Db) => new AccessRepository(db) },
    AccessService,
    Authentication,
    DirectoryService,
    FirstAdmin,
    { provide: APP_GUARD, useClass: AccessGuard },
    jobHandlers([AccessRepository], handlers),
  ],
  exports: [AccessService, Authentication, DirectoryService],
})
export class AccessModule {}
