import { MusterError, type Outcome, done, waiting } from '@muster/base';
import { type Rollout, type Target, type VerbEvent, hasEnded, refusal } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import type { Owner } from '../releases/owner.ts';
import type { JobContext } from '../queue/jobs.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import { RolloutClock } from './rollout-clock.ts';
import { RolloutNews } from './rollout-news.service.ts';
import type { LoadedRollout } from './rollout-memory.ts';
import { RolloutRunner } from './rollout-runner.service.ts';
import { RolloutStarts } from './rollout-starts.service.ts';
import { RolloutTriggers } from './rollout-triggers.service.ts';

const IN_RECOVERY_MS = 30_000;
/** How often a step looks at all targets, whatever was heard. */
const ALL_EVERY_MS = 30_000;

/** Steps of rollouts: what the rows say, what follows from it, and what is to be done, in one transaction. */
@Injectable()
export class RolloutSteps {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(RolloutRunner) private readonly runner: RolloutRunner,
    @Inject(RolloutStarts) private readonly starts: RolloutStarts,
    @Inject(RolloutNews) private readonly news: RolloutNews,
    @Inject(AssignmentsService) private readonly assignments: AssignmentsService,
    @Inject(RolloutTriggers) private readonly triggers: RolloutTriggers,
    @Inject(RolloutClock) private readonly clock: RolloutClock,
  ) {}

  /** One step of a rollout. Repeated, it changes nothing. */
  async step(id: string, context: Pick<JobContext, 'complete' | 'requested'>): Promise<Outcome> {
    return inRecovery(async () => {
      const { requested } = context;
      const some = requested === undefined ? undefined : this.triggers.take(id, requested);
      const { loaded, committed } = await this.#stepIn(id, some, context).catch((error: unknown) => {
        this.triggers.failed(id);
        throw error;
      });
      if (loaded) this.runner.keep(loaded);
      committed();
      return done;
    });
  }

  #stepIn(id: string, some: ReadonlySet<string> | undefined, context: Pick<JobContext, 'complete'>) {
    return this.db.transaction().execute(async (trx) => {
      const loaded = await this.#load(trx, id);
      const wake = loaded && (await this.#advance(trx, loaded, some));
      await context.complete(trx);
      return { loaded, committed: await this.#wake(trx, id, wake) };
    });
  }

  /** Looks at an owner: whose turn it is, and whether its policy is in order again. */
  async look(owner: Owner, context: Pick<JobContext, 'complete'>): Promise<Outcome> {
    return inRecovery(async () => {
      await this.db.transaction().execute(async (trx) => {
        if (await this.assignments.hold(trx, owner)) await this.starts.look(trx, owner);
        await context.complete(trx);
      });
      return done;
    });
  }

  /**
   * What somebody asks of a rollout, judged by all that has happened before. Throws `precondition` with the reason why it
   * makes no sense. What it answers is to be called after the commit.
   */
  async obey(trx: Trx, id: string, ask: (rollout: Rollout) => VerbEvent): Promise<() => void> {
    const loaded = await this.#load(trx, id);
    if (!loaded) throw new MusterError('precondition', 'the rollout has ended');
    await this.#advance(trx, loaded);
    const verb = ask(loaded.state.rollout);
    const refused = refusal(loaded.state, verb);
    if (refused !== undefined) throw new MusterError('precondition', refused);
    const before = loaded.state.rollout;
    await this.runner.run(trx, loaded, [verb], this.clock.now());
    await this.#turned(trx, loaded, before);
    return this.triggers.atOnce(trx, id);
  }

  /** Rolls the newest release of an owner out again, of which something is held back. Answers the new rollout's id. */
  async again(trx: Trx, owner: Owner): Promise<string> {
    await this.#hold(trx, owner);
    return this.starts.again(trx, owner);
  }

  /** Rolls an earlier release out, by number; without one, the one before what is held now. Answers the rollout's id. */
  async undo(trx: Trx, owner: Owner, to: number | undefined): Promise<string> {
    await this.#hold(trx, owner);
    return this.starts.undo(trx, owner, to);
  }

  async #hold(trx: Trx, owner: Owner): Promise<void> {
    if (!(await this.assignments.hold(trx, owner)))
      throw new MusterError('precondition', 'what it was a rollout of is gone');
  }

  /** Undefined: it has ended, or waits for its turn. */
  async #load(trx: Trx, id: string): Promise<LoadedRollout | undefined> {
    const owner = await this.runner.ownerOf(trx, id);
    if (!owner) return undefined;
    const there = await this.assignments.hold(trx, owner);
    const loaded = await this.runner.load(trx, id);
    if (!loaded || loaded.row.ended_at) return undefined;
    if (there) return loaded;
    await this.runner.orphaned(trx, loaded, this.clock.now());
    return undefined;
  }

  /** `some`: the targets of which something was heard; undefined: look at all of them. */
  async #advance(trx: Trx, loaded: LoadedRollout, some?: ReadonlySet<string>): Promise<number | null> {
    const { row, owner } = loaded;
    const before = loaded.state.rollout;
    if (before.phase === 'pending') return null;
    const now = this.clock.now();
    const enough = some && this.#isEnough(loaded, now) ? some : undefined;
    // Whoever adds targets asks for a look at all of them.
    const joining = enough ? [] : await this.starts.joining(trx, owner, row.id);
    const { events, facts, againMs } = await this.news.of(trx, loaded, joining, enough);
    const joined = joining.map(({ input, record }) => ({ ...record, target: { id: input.id } as Target }));
    const { wake, heldAlready } = await this.runner.run(trx, loaded, events, now, joined);
    await this.runner.sync(trx, loaded, facts);
    await this.#turned(trx, loaded, before);
    const after = heldAlready ? 0 : againMs(loaded);
    if (after !== undefined) loaded.comparedAt = 0;
    else if (!enough) loaded.comparedAt = now;
    return after === undefined ? wake : Math.min(wake ?? Number.POSITIVE_INFINITY, now + after);
  }

  /** Where it has ended or stopped, the next one of its owner may begin. */
  async #turned(trx: Trx, { owner, state }: LoadedRollout, before: Rollout): Promise<void> {
    const { phase, stage } = state.rollout;
    if (phase !== before.phase || stage !== before.stage) await this.triggers.advanced(trx, owner);
    if (phase !== before.phase && (hasEnded(phase) || phase === 'failed'))
      await this.triggers.askOwners(trx, [owner]);
  }

  /** Whether what was heard is all there is to look at: not where time has passed something, or nobody has looked for long. */
  #isEnough({ row, comparedAt }: LoadedRollout, now: number): boolean {
    return now - comparedAt < ALL_EVERY_MS && (row.wake_at === null || row.wake_at.getTime() > now);
  }

  /** Answers what is to be called after the commit. */
  async #wake(trx: Trx, id: string, wake: number | null | undefined): Promise<() => void> {
    if (wake === null || wake === undefined) return () => {};
    const notBefore = new Date(Date.now() + Math.max(0, wake - this.clock.now()));
    return this.triggers.wake(trx, id, notBefore);
  }
}

/** While nothing may be signed, nothing is decided either: what was begun waits. */
async function inRecovery(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (thrown) {
    const error = MusterError.from(thrown);
    if (error.code === 'precondition') return waiting(error.message, new Date(Date.now() + IN_RECOVERY_MS));
    throw thrown;
  }
}
