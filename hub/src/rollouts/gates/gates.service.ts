import { randomUUID } from 'node:crypto';
import { type Outcome, done, waiting } from '@muster/base';
import {
  type Judgement,
  type Measurement,
  isMeasurable,
  isProving,
  judged,
  openMeasurements,
} from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { AsksService } from '../../asks/asks.service.ts';
import { CONFIG, type Config } from '../../config.ts';
import type { JobContext } from '../../queue/jobs.ts';
import type { Trx } from '../../store/schema.ts';
import { RolloutClock } from '../rollout-clock.ts';
import { RolloutTriggers } from '../rollout-triggers.service.ts';
import { GatesRepository, type MeasurementRow } from './gates.repository.ts';
import { measureHttp } from './http-gate.ts';
import { JobGate } from './job-gate.service.ts';
import { measurePrometheus } from './prometheus-gate.ts';

/** A replica that died with a measurement leaves it to others after so long. */
const CLAIM_SECONDS = 30;
const CLAIM_AGAIN_MS = 10_000;
const LOOK_AGAIN_MS = 5_000;
const SOON_MS = 100;

/** What a look came to: a result, or nothing yet; and when to look again. */
interface Looked {
  judgement: Judgement | undefined;
  seconds: number;
  progress: Record<string, unknown>;
}

/**
 * Measures what rollouts wait for. A measurement that is open is a row; one replica at a time has it; its result waits in
 * the row until a step of the rollout takes it. Repeated, or begun anew after a crash, it changes nothing but the time.
 */
@Injectable()
export class GatesService {
  constructor(
    @Inject(GatesRepository) private readonly repository: GatesRepository,
    @Inject(RolloutTriggers) private readonly triggers: RolloutTriggers,
    @Inject(AsksService) readonly asks: AsksService,
    @Inject(JobGate) private readonly jobs: JobGate,
    @Inject(CONFIG) readonly config: Config,
    @Inject(RolloutClock) private readonly clock: RolloutClock,
  ) {}

  /** Measures once where that is due. */
  async measure(id: string, { complete, signal }: Pick<JobContext, 'complete' | 'signal'>): Promise<Outcome> {
    const row = await this.repository.claim(id, randomUUID(), CLAIM_SECONDS);
    if (!row) return this.#notNow(id);
    const alive = setInterval(() => {
      // Where it cannot be kept, another replica may measure too: the result of one of them is written.
      this.repository.keep(row, CLAIM_SECONDS).catch(() => undefined);
    }, CLAIM_AGAIN_MS);
    const act = await this.#look(row, signal)
      .catch(async (thrown: unknown) => {
        await this.repository.release(row);
        throw thrown;
      })
      .finally(() => clearInterval(alive));
    await this.repository.db.transaction().execute(async (trx) => {
      // Another replica may have it by now, or the round may be over: then nothing is begun.
      const holds = await this.repository.holds(trx, row);
      await complete(trx);
      if (!holds) return;
      const { judgement, ...next } = await act(trx);
      if (!judgement) return this.repository.proceed(trx, row, next);
      await this.repository.finish(trx, row, { ...judgement, ...next });
      await this.triggers.ask(trx, [row.rollout_id]);
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
    return waiting('it is not due, or measured already', new Date(Math.max(until, Date.now() + SOON_MS)));
  }

  /** Measures, and answers what to write; what is begun in clusters is begun in the transaction that writes it. */
  async #look(row: MeasurementRow, signal: AbortSignal): Promise<(trx: Trx) => Promise<Looked>> {
    const rollout = await this.repository.rollout(row.rollout_id);
    const open = rollout && openMeasurements(rollout).find((one) => isOf(one, row));
    // A step that is being written now lets the row go.
    if (!open) return given({ judgement: undefined, seconds: LOOK_AGAIN_MS / 1000, progress: row.progress });
    const { gate } = open;
    const targets = async () =>
      (await this.repository.targets(row.rollout_id, open.stageIndex)).filter(({ target }) =>
        gate.at === 'entry'
          ? target.state === 'waiting'
          : isProving(target) && isMeasurable(gate, target, this.clock.now()),
      );
    switch (gate.kind) {
      case 'http':
        return measured(gate, await measureHttp(gate, this.config, signal));
      case 'prometheus': {
        const asked = await targets();
        if (asked.length === 0) return measured(gate, NOBODY);
        return measured(gate, await measurePrometheus(gate, asked, this, signal));
      }
      case 'job':
        return (await this.jobs.look(gate, await targets(), row.progress)).act;
      case 'approval':
      case 'windows':
        return given({ judgement: undefined, seconds: LOOK_AGAIN_MS / 1000, progress: {} });
    }
  }
}

/** What was healthy is not any more, or only just is again. */
const NOBODY = judged('unknown', 'nothing has been healthy at the release for long enough');

const given = (looked: Looked) => () => Promise.resolve(looked);

function measured({ intervalMs }: { intervalMs: number }, judgement: Judgement) {
  return given({ judgement, seconds: intervalMs / 1000, progress: {} });
}

function isOf({ stage, gate, round }: Measurement, row: MeasurementRow): boolean {
  return stage === row.stage && gate.name === row.gate && round === row.round;
}
