import { Module } from '@nestjs/common';
import { Events } from '../api/events.ts';
import { AssignmentsModule } from '../assignments/assignments.module.ts';
import { jobHandlers } from '../queue/jobs.ts';
import { CertificatesService } from './certificates.service.ts';
import { ClustersController } from './clusters.controller.ts';
import { RegistryChangesRepository } from './registry-changes.repository.ts';
import { handlers } from './clusters.worker.ts';
import { RemovalService } from './removal.service.ts';
import { SessionsRegistry } from './sessions-registry.ts';

/** Removal needs assignments, which need the registry: so it is a module of its own. */
@Module({
  imports: [AssignmentsModule],
  controllers: [ClustersController],
  providers: [
    RemovalService,
    jobHandlers(
      [SessionsRegistry, RemovalService, CertificatesService, Events, RegistryChangesRepository],
      handlers,
    ),
  ],
})
export class ClusterRemovalModule {}
