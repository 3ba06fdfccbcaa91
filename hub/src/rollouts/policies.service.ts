import type { RolloutPolicyList, RolloutPolicyView } from '@muster/api';
import { MusterError, canonicalJson } from '@muster/base';
import { parseRolloutPolicy } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import { CONFIG, type Config } from '../config.ts';
import type { Trx } from '../store/schema.ts';
import { requireMeasurable } from './gates/measurable.ts';
import { PoliciesRepository, type PolicyRow } from './policies.repository.ts';
import type { CheckedPolicy } from './policy-check.ts';
import { RolloutTriggers } from './rollout-triggers.service.ts';

/** RolloutPolicies as users apply, see and delete them. Rollouts that have begun go on by the one they began with. */
@Injectable()
export class PoliciesService {
  constructor(
    @Inject(PoliciesRepository) private readonly repository: PoliciesRepository,
    @Inject(RolloutTriggers) private readonly triggers: RolloutTriggers,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async list(): Promise<RolloutPolicyList> {
    return { items: (await this.repository.all()).map(viewOf) };
  }

  /** Throws `not-found`. */
  async get(name: string): Promise<RolloutPolicyView> {
    const row = await this.repository.find(name);
    if (!row) throw notThere(name);
    return { ...viewOf(row), manifest: row.manifest };
  }

  /** Throws `precondition` where a gate of it could not be measured by this hub. */
  async apply(
    trx: Trx,
    { policy, manifest }: CheckedPolicy,
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    const { name } = policy;
    requireMeasurable(policy, this.config);
    const before = await this.repository.find(name, trx);
    if (before && canonicalJson(before.manifest) === canonicalJson(manifest)) return 'unchanged';
    await this.repository.write(trx, name, manifest, actor.name);
    await this.#changed(trx, actor, name, before ? 'rollout-policy.change' : 'rollout-policy.create');
    return before ? 'configured' : 'created';
  }

  /** Throws `not-found`. */
  async remove(actor: Actor, name: string): Promise<void> {
    await this.repository.db.transaction().execute(async (trx) => {
      if (!(await this.repository.remove(trx, name))) throw notThere(name);
      await this.#changed(trx, actor, name, 'rollout-policy.delete');
    });
  }

  /** What could not begin for want of a policy may begin now. */
  async #changed(trx: Trx, actor: Actor, name: string, action: string): Promise<void> {
    await this.triggers.askOwners(trx, await this.repository.troubled(trx));
    await this.audit.record(trx, { actor, action, object: `rolloutpolicy/${name}` });
  }
}

function notThere(name: string): MusterError {
  return new MusterError('not-found', `there is no RolloutPolicy ${name}`, {
    hint: '`muster rollout policy list` shows those there are',
  });
}

function viewOf(row: PolicyRow): RolloutPolicyView {
  const policy = parseRolloutPolicy(row.manifest);
  const { matchLabels = {}, matchExpressions = [] } = policy.applicationSets ?? {};
  return {
    name: row.name,
    stages: policy.stages.map((stage) => stage.name),
    selects:
      policy.applicationSets === null
        ? ''
        : [
            ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
            ...matchExpressions.map(({ key, operator, values }) =>
              values.length > 0 ? `${key} ${operator} (${values.join(', ')})` : `${key} ${operator}`,
            ),
          ].join(', ') || '*',
    superseding: policy.superseding,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    updatedBy: row.updated_by,
  };
}
