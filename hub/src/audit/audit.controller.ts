import { AuditPage, AuditQuery } from '@muster/api';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { AuditRepository } from './audit.repository.ts';

/** Who did what, newest first. Admins see everything of the projects they administer. */
@Controller('api/v1/audit')
export class AuditController {
  constructor(
    @Inject(AuditRepository) private readonly repository: AuditRepository,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  @Get()
  @Allow('admin', { project: 'any' })
  @Answers(AuditPage)
  list(@CurrentActor() actor: Actor, @Query({ schema: AuditQuery }) query: AuditQuery): Promise<AuditPage> {
    return this.repository.list(query, this.access.visibleProjects(actor, 'admin'));
  }
}
