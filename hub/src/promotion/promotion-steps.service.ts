import { type Outcome as JobOutcome, MusterError, canonicalJson, done } from '@muster/base';
import {
  type Environment,
  type EnvironmentStanding,
  type Promotion,
  decideChange,
  parsePromotion,
} from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.ts';
import type { JobContext } from '../queue/jobs.ts';
import { RolloutClock } from '../rollouts/rollout-clock.ts';
import { SourcesService } from '../sources/sources.service.ts';
import type { Trx } from '../store/schema.ts';
import { PromotionNews } from './promotion-news.service.ts';
import { PromotionStandings } from './promotion-standings.service.ts';
import {
  type ChangeRow,
  type PromotionRow,
  PromotionsRepository,
  changeOf,
} from './promotions.repository.ts';
import { type Outcome, type Proposed, Proposals } from './proposals.service.ts';

const CONFLICT_MS = 60_000;
const FIRST_RETRY_MS = 30_000;
const MOST_RETRY_MS = 30 * 60_000;
/** Steps of one environment in one look: begun, made, seen. */
const MAX_STEPS = 4;
const MOST_MS = 120_000;

/**
 * Looks at a promotion: level-triggered, from what releases, rows, branches and pull requests are now. What it did before it was
 * killed is recognised, so a look may be repeated at any time.
 */
@Injectable()
export class PromotionSteps {
  constructor(
    @Inject(PromotionsRepository) private readonly repository: PromotionsRepository,
    @Inject(PromotionStandings) private readonly standings: PromotionStandings,
    @Inject(Proposals) private readonly proposals: Proposals,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(RolloutClock) private readonly clock: RolloutClock,
    @Inject(PromotionNews) private readonly news: PromotionNews,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async look(id: string, context: Pick<JobContext, 'complete' | 'signal'>): Promise<JobOutcome> {
    const row = await this.repository.find(id);
    if (!row) return done;
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(MOST_MS)]);
    const promotion = parsePromotion(row.manifest, `Promotion ${row.name}`);
    const standings: Record<string, EnvironmentStanding> = {};
    const before = await this.repository.stateOf(this.repository.db, id);
    for (const [i, environment] of promotion.environments.entries()) {
      const standing = await this.standings.of(promotion, environment, signal);
      standings[environment.name] = standing;
      if (i === 0) continue;
      const from = promotion.environments[i - 1]!;
      await this.#environment(row, promotion, from, environment, standings[from.name]!, signal);
    }
    context.signal.throwIfAborted();
    await this.repository.db.transaction().execute(async (trx) => {
      await this.repository.update(trx, id, {
        standings: JSON.stringify(standings),
        looked_at: new Date(),
        look_at: new Date(Date.now() + this.config.promotionSeconds * 1000),
      });
      const same =
        canonicalJson(row.standings) === canonicalJson(standings) &&
        (await this.repository.stateOf(trx, id)) === before;
      if (!same) await this.news.changed(trx, row);
      await context.complete(trx);
    });
    return done;
  }

  /** One environment, until it waits for something. */
  async #environment(
    row: PromotionRow,
    promotion: Promotion,
    before: Environment,
    environment: Environment,
    standing: EnvironmentStanding,
    signal: AbortSignal,
  ): Promise<void> {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const { current, last } =
        (await this.repository.newest(this.repository.db, row.id)).get(environment.name) ?? {};
      const step = decideChange({
        environment,
        before: before.name,
        standing,
        current: current && changeOf(current),
        last: last && changeOf(last),
        paused: row.paused,
        now: this.clock.now(),
      });
      const subject = await this.standings.subject(current?.release_id);
      const proposed = current && { promotion, before, environment, change: current, subject };
      switch (step.kind) {
        case 'nothing':
          return;
        case 'begin':
          // Somebody may have merged it already.
          if (
            proposed &&
            proposed.change.state === 'open' &&
            (await this.#carryOut('watch', proposed, signal))
          )
            continue;
          if (standing.kind === 'passed')
            await this.#begin(row, { promotion, before, environment }, standing, current, signal);
          continue;
        case 'expire':
          await this.repository.move(this.repository.db, current!.id, 'expired', { why: step.why });
          return;
        case 'wait':
          if (current && step.why !== '' && current.state === 'waiting' && current.why !== step.why)
            await this.repository.move(this.repository.db, current.id, 'waiting', { why: step.why });
          return;
        case 'apply':
          await this.#carryOut('make', proposed!, signal);
          return;
        case 'watch':
          await this.#carryOut('watch', proposed!, signal);
          return;
      }
    }
  }

  async #begin(
    { id, name, version }: PromotionRow,
    { promotion, before, environment }: Pick<Proposed, 'promotion' | 'before' | 'environment'>,
    standing: Extract<EnvironmentStanding, { kind: 'passed' }>,
    current: ChangeRow | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const removals = await this.standings.removals(before, environment);
    // What keeps it from being told is said when the change is made.
    const isThere = await this.proposals
      .isThere(promotion, before, environment, standing.commit, signal)
      .catch(() => false);
    signal.throwIfAborted();
    await this.repository.db.transaction().execute(async (trx) => {
      const held = await this.repository.lock(trx, id);
      // It was changed meanwhile: the next look goes by what it is now.
      if (held?.version !== version) return;
      const newest = (await this.repository.newest(trx, id)).get(environment.name)?.current;
      if (newest?.id !== current?.id) return;
      if (current)
        await this.repository.move(trx, current.id, 'superseded', {
          why: `release ${standing.number} of ${before.name} took its place`,
        });
      const { release, number, commit } = standing;
      const pull = current?.pull_number ? current : undefined;
      const begun = await this.repository.begin(trx, id, environment.name, {
        release,
        number,
        commit,
        removals,
        ...(pull ? { pull } : {}),
      });
      if (isThere && !pull)
        return void (await this.repository.move(trx, begun.id, 'done', {
          why: `${environment.name} has it already`,
        }));
      await this.news.record(trx, {
        name,
        project: promotion.project,
        actor: 'system',
        action: 'begin',
        details: { environment: environment.name, release: number, commit },
      });
    });
  }

  /** Makes or watches a change and writes down what came of it; true: it has ended. */
  async #carryOut(what: 'make' | 'watch', proposed: Proposed, signal: AbortSignal): Promise<boolean> {
    const { change } = proposed;
    let outcome: Outcome;
    try {
      outcome = await this.proposals[what](proposed, new Date(this.clock.now()), signal);
    } catch (thrown) {
      signal.throwIfAborted();
      await this.#failed(change, MusterError.from(thrown).describe());
      return false;
    }
    const { state, why, result, pull } = outcome;
    const retryAt = state === 'conflict' ? new Date(this.clock.now() + CONFLICT_MS) : null;
    await this.repository.db.transaction().execute(async (trx) => {
      const moved = await this.repository.move(trx, change.id, state, {
        why,
        retry_at: retryAt,
        attempts: state === 'conflict' ? change.attempts + 1 : 0,
        ...(result === undefined ? {} : { result }),
        ...(pull ? { branch: pull.branch, pull_number: BigInt(pull.number), pull_url: pull.url } : {}),
      });
      if (moved && outcome.made) await this.#told(trx, proposed, outcome.made);
      // What it made is read at once, and not at the next poll.
      if (state === 'done') await this.sources.askUrl(trx, proposed.promotion.repository);
    });
    return state === 'done' || state === 'closed';
  }

  async #told(trx: Trx, proposed: Proposed, made: string): Promise<void> {
    const { promotion, environment, change } = proposed;
    await this.news.record(trx, {
      name: promotion.name,
      project: promotion.project,
      actor: 'system',
      action: 'make',
      reason: made,
      details: {
        environment: environment.name,
        change: change.id,
        release: Number(change.release_number),
        approvedBy: change.approvals.map(({ actor }) => actor),
      },
    });
  }

  /** What may pass is tried again, later each time; a pull request that is open stays so. */
  async #failed(change: ChangeRow, why: string): Promise<void> {
    const wait = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(change.attempts, 10));
    const state = change.state === 'open' ? 'open' : 'failed';
    await this.repository.move(this.repository.db, change.id, state, {
      why,
      retry_at: new Date(this.clock.now() + wait),
      attempts: change.attempts + 1,
    });
  }
}
