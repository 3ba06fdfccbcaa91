import { Global, Module } from '@nestjs/common';
import { ApprovalService } from './approval.service.ts';
import { CertificatesRepository } from './certificates.repository.ts';
import { CertificatesService } from './certificates.service.ts';
import { ClusterChanges } from './cluster-changes.ts';
import { ClustersRepository } from './clusters.repository.ts';
import { ClustersService } from './clusters.service.ts';
import { EnrollmentsRepository } from './enrollments.repository.ts';
import { EnrolmentService } from './enrolment.service.ts';
import { JoinTokensController } from './join-tokens.controller.ts';
import { JoinTokensRepository } from './join-tokens.repository.ts';
import { JoinTokensService } from './join-tokens.service.ts';
import { LabellingService } from './labelling.service.ts';
import { RecoveredService } from './recovered.service.ts';
import { IdentityService } from './identity.service.ts';
import { RegistryChangesRepository } from './registry-changes.repository.ts';
import { SessionChanges } from './session-changes.ts';
import { SessionsRegistry } from './sessions-registry.ts';
import { SessionsRepository } from './sessions.repository.ts';

const services = [
  ClustersRepository,
  RegistryChangesRepository,
  CertificatesRepository,
  EnrollmentsRepository,
  JoinTokensRepository,
  ClusterChanges,
  ClustersService,
  LabellingService,
  CertificatesService,
  ApprovalService,
  EnrolmentService,
  JoinTokensService,
  RecoveredService,
  SessionsRepository,
  SessionChanges,
  SessionsRegistry,
  IdentityService,
];

/** The registry and enrolment. Knows nothing of what clusters are assigned; see ClusterRemovalModule. */
@Global()
@Module({ controllers: [JoinTokensController], providers: services, exports: services })
export class ClustersModule {}
