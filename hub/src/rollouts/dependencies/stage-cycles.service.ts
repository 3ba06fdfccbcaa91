import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { SetManifests } from '../../applicationsets/set-manifests.ts';
import type { Trx } from '../../store/schema.ts';
import { PoliciesRepository } from '../policies.repository.ts';
import { policyOf } from '../policy-of.ts';
import { type StagedSet, stageCycle } from './stage-cycles.ts';

/** Policies whose stages could never begin. */
@Injectable()
export class StageCycles {
  constructor(
    @Inject(PoliciesRepository) private readonly policies: PoliciesRepository,
    @Inject(SetManifests) private readonly sets: SetManifests,
  ) {}

  /** Throws `invalid` where stages, as policies and sets are written now, wait for each other. */
  async refuse(trx: Trx): Promise<void> {
    const stored = await this.policies.all(trx);
    if (!stored.some(({ manifest }) => JSON.stringify(manifest).includes('"dependsOn"'))) return;
    const staged = (await this.policies.sets(trx)).flatMap((row): StagedSet[] => {
      const { metadata, spec } = this.sets.open(row);
      const facts = { annotations: metadata.annotations ?? {}, labels: metadata.labels ?? {} };
      const choice = policyOf('set', { ...facts, strategy: spec.strategy }, stored);
      return choice.kind === 'policy'
        ? [{ namespace: row.namespace, name: row.name, policy: choice.policy }]
        : [];
    });
    const cycle = stageCycle(staged);
    if (cycle)
      throw new MusterError('invalid', cycle, { where: 'dependsOn', hint: 'none of them could begin' });
  }
}
