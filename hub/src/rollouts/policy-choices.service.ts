import type { Application, ApplicationSet } from '@muster/appset';
import type { PolicyChoice } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import { SetManifests } from '../applicationsets/set-manifests.ts';
import type { Owner } from '../releases/owner.ts';
import type { Db } from '../store/database.ts';
import { PoliciesRepository } from './policies.repository.ts';
import { policyOf } from './policy-of.ts';

/** What an owner is called, and the policy that its releases go by. */
export interface OwnerPolicy {
  name: string;
  project: string;
  choice: PolicyChoice;
}

/** Finds the policy of an ApplicationSet or of an Application that is applied directly. */
@Injectable()
export class PolicyChoices {
  constructor(
    @Inject(PoliciesRepository) private readonly repository: PoliciesRepository,
    @Inject(SetManifests) private readonly sets: SetManifests,
    @Inject(ApplicationRecords) private readonly applications: ApplicationRecords,
  ) {}

  /** Undefined: the owner is gone. */
  async of(db: Db, owner: Owner): Promise<OwnerPolicy | undefined> {
    const row = await this.repository.owner(db, owner);
    if (!row) return undefined;
    const written = owner.kind === 'set' ? this.sets.open(row) : this.applications.openManifest(row);
    return {
      name: `${row.namespace}/${row.name}`,
      project: row.project,
      choice: await this.#choose(db, owner, written),
    };
  }

  async #choose(db: Db, owner: Owner, written: ApplicationSet | Application): Promise<PolicyChoice> {
    const { annotations, labels } = written.metadata;
    const strategy = owner.kind === 'set' ? (written as ApplicationSet).spec.strategy : undefined;
    const set = { annotations: annotations ?? {}, labels: labels ?? {}, strategy };
    return policyOf(owner.kind, set, await this.repository.all(db));
  }
}
