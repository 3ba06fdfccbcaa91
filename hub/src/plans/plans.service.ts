import type { PlanRequest, PlanResult } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import { CONFIG, type Config } from '../config.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { PlanSlots } from './plan-slots.ts';
import { Planner } from './planner.service.ts';

/** Plans as users ask for them: a few at a time, for so long, and written down. */
@Injectable()
export class PlansService {
  readonly #slots: PlanSlots;

  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(Planner) private readonly planner: Planner,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#slots = new PlanSlots(config.plansAtOnce);
  }

  /** Throws `limit` when it takes too long; ends when the signal does. */
  async plan(
    request: PlanRequest,
    actor: Actor,
    say: (progress: string) => void,
    given: AbortSignal,
  ): Promise<PlanResult> {
    const { documents, revisions, labels } = request;
    if (documents.length + revisions.length + labels.length === 0)
      throw new MusterError('invalid', 'nothing is supposed: give documents, revisions or labels');
    await this.audit.record(this.db, {
      actor,
      action: 'plan',
      object: 'fleet',
      details: {
        documents: documents.length,
        revisions: revisions.map(({ repo, revision, base }) => ({ repo: withoutUser(repo), revision, base })),
        labels: labels.map(({ cluster }) => cluster),
      },
    });
    const seconds = this.config.planSeconds;
    const tooLong = AbortSignal.timeout(seconds * 1000);
    const signal = AbortSignal.any([given, tooLong]);
    const wait = (before: number) =>
      say(`waiting for ${before === 1 ? 'another plan' : `${before} other plans`}`);
    try {
      return await this.#slots.run(() => this.planner.plan(request, actor, say, signal), wait, signal);
    } catch (thrown) {
      given.throwIfAborted();
      if (!tooLong.aborted) throw thrown;
      throw new MusterError('limit', `the plan took longer than ${seconds} s`, {
        hint: 'plan a smaller change; MUSTER_PLAN_SECONDS sets the limit',
        cause: thrown,
      });
    }
  }
}

/** A URL may hold a password. */
function withoutUser(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}
