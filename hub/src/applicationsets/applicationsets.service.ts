import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Roots } from '../roots/roots.service.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import type { CheckedSet } from './set-manifest.ts';
import { SetManifests } from './set-manifests.ts';
import { SetRepositories } from './set-repositories.ts';
import { SetTrail } from './set-trail.ts';
import { SetTriggers } from './set-triggers.service.ts';

/** ApplicationSets as users apply them. */
@Injectable()
export class ApplicationSetsService {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(SetManifests) private readonly manifests: SetManifests,
    @Inject(SetRepositories) private readonly repositories: SetRepositories,
    @Inject(SetTriggers) private readonly triggers: SetTriggers,
    @Inject(SetTrail) private readonly trail: SetTrail,
    @Inject(Roots) private readonly roots: Roots,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  /** Writes a checked set. Needs the role operator for its project; for a templated project, for all. */
  async apply(
    trx: Trx,
    namespace: string,
    checked: CheckedSet,
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    const { name } = checked.set.metadata;
    const { project, dependsOnClusters } = checked;
    this.access.require(actor, 'operator', project || '*');
    const before = await this.repository.byName(namespace, name, trx);
    if (before) this.access.require(actor, 'operator', before.project || '*');
    const { sealed, hash } = this.manifests.seal(checked.set, namespace);
    if (before && before.manifest_hash === hash && !before.deleting_at) {
      await this.roots.recordAuthority(trx, before.id, actor, true);
      return 'unchanged';
    }
    const row = { namespace, name, project, sealed, hash, dependsOnClusters };
    const id = await this.repository.write(trx, row);
    await this.roots.recordAuthority(trx, id, actor, false);
    await this.repositories.begin(trx, id, checked.repositories);
    await this.triggers.follow(trx, id, checked.topics);
    await this.triggers.written(trx, id);
    const action = before ? 'applicationset.change' : 'applicationset.create';
    await this.trail.note(trx, actor, row, action);
    return before ? 'configured' : 'created';
  }
}
