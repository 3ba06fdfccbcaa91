import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import { ClustersRepository, type LabelChange } from './clusters.repository.ts';
import { ClustersService } from './clusters.service.ts';
import { parseSelector } from './label-selector.ts';

/** Names that the audit log keeps of one change. */
const NAMES_SHOWN = 100;

/** Labels of many clusters at once: one transaction, so that every set is expanded once. */
@Injectable()
export class LabellingService {
  constructor(
    @Inject(ClustersRepository) private readonly repository: ClustersRepository,
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  /** @throws MusterError invalid for a selector that does not read. */
  async label(
    selector: string,
    change: LabelChange,
    actor: Actor,
  ): Promise<{ selected: number; changed: number }> {
    const requirements = parseSelector(selector);
    return this.repository.transaction(async (trx) => {
      const selected = await this.repository.lockSelected(trx, requirements);
      const changed = await this.repository.label(trx, selected, change);
      if (changed.length === 0) return { selected: selected.length, changed: 0 };
      const names = changed.map(({ name }) => name).sort();
      await this.audit.record(trx, {
        actor,
        action: 'cluster.label',
        object: 'clusters',
        details: { selector, ...change, changed: names.length, names: names.slice(0, NAMES_SHOWN) },
      });
      await this.clusters.announceAll(trx, changed, 'labelled');
      return { selected: selected.length, changed: changed.length };
    });
  }
}
