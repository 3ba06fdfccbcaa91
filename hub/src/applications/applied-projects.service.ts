import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { SetTriggers } from '../applicationsets/set-triggers.service.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { RolloutTriggers } from '../rollouts/rollout-triggers.service.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationsService } from './applications.service.ts';

/** Writes projects, and has all that goes by one looked at again: its sets, its Applications, its rollouts. */
@Injectable()
export class AppliedProjects {
  constructor(
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(SetTriggers) private readonly sets: SetTriggers,
    @Inject(ApplicationsService) private readonly applications: ApplicationsService,
    @Inject(RolloutTriggers) private readonly rollouts: RolloutTriggers,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  /** Takes the role admin: a project says what others may. */
  async apply(
    trx: Trx,
    name: string,
    manifest: Parameters<ProjectsService['apply']>[2],
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    this.access.require(actor, 'admin');
    const result = await this.projects.apply(trx, name, manifest, actor);
    if (result === 'unchanged') return result;
    await this.sets.projectChanged(trx, name);
    await this.applications.projectChanged(trx, name);
    await this.rollouts.project(trx, name);
    return result;
  }
}
