import type { IgnoreRule } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import type { Db } from '../store/database.ts';
import { DriftRepository } from './drift.repository.ts';

/** Rules that assignments carry because somebody accepted a difference. */
@Injectable()
export class AcceptedRules {
  constructor(@Inject(DriftRepository) private readonly repository: DriftRepository) {}

  /** By Application id; those without any are not in it. */
  of(db: Db, applicationIds: readonly string[]): Promise<Map<string, IgnoreRule[]>> {
    return this.repository.rulesOf(db, applicationIds);
  }
}
