import { randomUUID } from 'node:crypto';
import { type Outcome, done, waiting } from '@muster/base';
import { type Judgement, type Measurement, judged, openMeasurements } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.ts';
import type { JobContext } from '../../queue/jobs.ts';
import { RolloutTriggers } from '../rollout-triggers.service.ts';
import { GatesRepository, type MeasurementRow } from './gates.repository.ts';
import { measureHttp } from './http-gate.ts';

/** A replica that died with a measurement leaves it to others after so long. */
const CLAIM_SECONDS = 120;
const LOOK_AGAIN_MS = 5_000;

/** What a look came to: a result, or nothing yet. */
type Looked =
  | { judgement: Judgement; seconds: number; progress: Record<string, unknown> }
  | { judgement?: undefined; seconds: number; progress: Record<string, unknown> };

/**
 * Measures what rollouts wait for. A measurement that is open is a row; one replica at a time has it; its result waits in
 * the row until a step of the rollout takes it. Repeated, or begun anew after a crash, it changes nothing but the time.
 */
@Injectable()
export class GatesService {
  constructor(
    @Inject(GatesRepository) private readonly repository: GatesRepository,
    @Inject(RolloutTriggers) private readonly triggers: RolloutTriggers,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Measures once where that is due. */
  async measure(id: string, { complete, signal }: Pick<JobContext, 'complete' | 'signal'>): Promise<Outcome> {
    const row = await this.repository.claim(id, randomUUID(), CLAIM_SECONDS);
    if (!row) return this.#notNow(id);
    const looked = await this.#look(row, signal);
    await this.repository.db.transaction().execute(async (trx) => {
      await complete(trx);
      if (!looked.judgement) return this.repository.proceed(trx, row, looked);
      const { judgement, ...next } = looked;
      const written = await this.repository.finish(trx, row, { ...judgement, ...next });
      if (written) await this.triggers.ask(trx, [row.rollout_id]);
    });
    return done;
  }

  /** Takes up again what was lost with its job. */
  async overlooked(): Promise<void> {
    const ids = await this.repository.forgotten();
    if (ids.length > 0)
      await this.repository.db.transaction().execute((trx) => this.repository.ask(trx, ids));
  }

  /** The round is over, its result waits to be taken, it is not due, or somebody else measures. */
  async #notNow(id: string): Promise<Outcome> {
    const row = await this.repository.find(id);
    if (!row || row.verdict) return done;
    const until = Math.max(row.due_at.getTime(), row.claimed_until?.getTime() ?? 0);
    return waiting(
      'it is not due, or measured already',
      new Date(Math.max(until, Date.now() + LOOK_AGAIN_MS)),
    );
  }

  async #look(row: MeasurementRow, signal: AbortSignal): Promise<Looked> {
    const rollout = await this.repository.rollout(row.rollout_id);
    const open = rollout && openMeasurements(rollout).find((one) => isOf(one, row));
    // A step that is being written now lets the row go.
    if (!open) return { seconds: LOOK_AGAIN_MS / 1000, progress: row.progress };
    const { gate } = open;
    switch (gate.kind) {
      case 'http': {
        const judgement = await measureHttp(gate, this.config, signal);
        return { judgement, seconds: gate.intervalMs / 1000, progress: {} };
      }
      default:
        return { judgement: judged('unknown', `${gate.kind} is not measured`), seconds: 60, progress: {} };
    }
  }
}

function isOf({ stage, gate, round }: Measurement, row: MeasurementRow): boolean {
  return stage === row.stage && gate.name === row.gate && round === row.round;
}
