import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import type { CheckedPolicy } from '../rollouts/policy-check.ts';
import { PoliciesService } from '../rollouts/policies.service.ts';
import type { Trx } from '../store/schema.ts';
import type { CheckedPromotion } from './promotion-check.ts';
import { PromotionsService } from './promotions.service.ts';

/** A document that says how releases get somewhere. */
export type DeliveryDocument =
  | { kind: 'RolloutPolicy'; checked: CheckedPolicy }
  | { kind: 'Promotion'; checked: CheckedPromotion };

/** Applies documents of delivery: they are for the whole hub, so that takes the role admin. */
@Injectable()
export class DeliveryDocuments {
  constructor(
    @Inject(PoliciesService) private readonly policies: PoliciesService,
    @Inject(PromotionsService) private readonly promotions: PromotionsService,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  async apply(
    trx: Trx,
    document: DeliveryDocument,
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    this.access.require(actor, 'admin');
    return document.kind === 'RolloutPolicy'
      ? this.policies.apply(trx, document.checked, actor)
      : this.promotions.apply(trx, document.checked, actor);
  }
}
