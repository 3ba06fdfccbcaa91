import { MusterError } from '@muster/base';
import { type Verb, applicationKey, verbOfAsk, verbRefusal } from '@muster/link';
import type { Ask } from '@muster/proto/records';
import type { Cluster } from '../apply/cluster.ts';
import type { Engine } from '../apply/engine.ts';
import { KubeError, safeMessage } from '../kube/errors.ts';
import { readEvents } from './events.ts';
import { readLogs } from './logs.ts';
import { maskingOf } from './masking.ts';
import { readObject } from './object.ts';
import { type PrometheusAccess, askPrometheus } from './prometheus.ts';
import { readTree } from './tree.ts';

/** How an answer ends. */
export interface AnswerEnding {
  /** '' when all is said. */
  code: string;
  message: string;
  hint: string;
  /** Why it ends before what was asked for does; '' when it does not. */
  cut: string;
}

/** One answer on its way to the hub. */
export interface AnswerCall {
  /** Waits while the hub takes no more. */
  write(data: Buffer): Promise<void>;
  end(ending: AnswerEnding): Promise<void>;
  /** Aborted when the hub breaks it off: nobody waits any more. */
  readonly broken: AbortSignal;
}

export interface AsksOptions {
  engine: Engine;
  cluster: Cluster;
  prometheus: PrometheusAccess;
  open(askId: string): AnswerCall;
  /** Aborted when the agent is stopped. */
  signal: AbortSignal;
}

/** Asks that are answered at once; more are told to come back. */
const MAX_ASKS = 16;
const MAX_SECONDS = 3_600;
const MAX_BYTES = 64 * 1024 * 1024;
const PIECE = 256 * 1024;
const DONE: AnswerEnding = { code: '', message: '', hint: '', cut: '' };
const STOPPED: AnswerEnding = {
  code: 'unavailable',
  message: 'the agent was stopped meanwhile',
  hint: 'Try again when it is back.',
  cut: '',
};

/** Answers what people ask about objects of Applications. Works while somebody waits, and keeps nothing afterwards. */
export class Asks {
  private readonly options: AsksOptions;
  private readonly running = new Map<string, AbortController>();

  constructor(options: AsksOptions) {
    this.options = options;
  }

  /** Asks that are being answered. */
  get size(): number {
    return this.running.size;
  }

  /** Begins to answer; one that runs already goes on as it is. Never throws. */
  begin(ask: Ask): void {
    if (this.running.has(ask.id)) return;
    const controller = new AbortController();
    this.running.set(ask.id, controller);
    void this.answer(ask, controller.signal)
      .catch((thrown: unknown) => {
        const { log } = this.options.cluster;
        log.warn({ ask: ask.id, error: MusterError.from(thrown).message }, 'an ask was not answered');
      })
      .finally(() => this.running.delete(ask.id));
  }

  /** Nobody waits any more. */
  cancel(id: string): void {
    this.running.get(id)?.abort(new MusterError('unavailable', 'nobody waits for it any more'));
  }

  private async answer(ask: Ask, cancelled: AbortSignal): Promise<void> {
    const { cluster, signal: stopped } = this.options;
    const { log } = cluster;
    const call = this.options.open(ask.id);
    const over = AbortSignal.any([cancelled, call.broken]);
    const late = AbortSignal.timeout(Math.min(ask.maxSeconds || 60, MAX_SECONDS) * 1_000);
    const output = new Output(call, Math.min(Number(ask.maxBytes) || MAX_BYTES, MAX_BYTES));
    const begun = Date.now();
    let ending = DONE;
    try {
      const cut = await this.carryOut(ask, output, AbortSignal.any([over, late, stopped]));
      ending = { ...DONE, cut };
    } catch (thrown) {
      if (thrown instanceof Full && ask.query?.$case === 'logs') ending = { ...DONE, cut: thrown.message };
      else if (stopped.aborted) ending = STOPPED;
      else if (late.aborted && !over.aborted) ending = lateEnding(ask);
      else ending = errorEnding(ask, thrown);
    }
    const asked = ask.query?.$case;
    log.info({ ask: ask.id, asked, actor: ask.actor, ms: Date.now() - begun, code: ending.code }, 'ask');
    await call.end(ending);
  }

  /** Answers why something was left out; '' when nothing was. */
  private async carryOut(ask: Ask, output: Output, signal: AbortSignal): Promise<string> {
    const { engine, cluster } = this.options;
    const verb: Verb = verbOfAsk(ask);
    const refused = verbRefusal(cluster.power.accepted, verb);
    if (refused) throw new MusterError('forbidden', refused);
    if (this.running.size > MAX_ASKS) {
      throw new MusterError('limit', `this agent answers ${MAX_ASKS} asks at once, no more`, {
        hint: 'end a log that is followed, or try again',
      });
    }
    const key = applicationKey(ask);
    const runner = engine.runner(key);
    if (!runner) throw new MusterError('not-found', `Application ${key} is not held by the agent`);
    const { app } = runner;
    const { query } = ask;
    if (query?.$case === 'prometheus')
      return output.document(await askPrometheus(this.options.prometheus, query.value, signal));
    // What is leaving has no bundle any more; its objects may be looked at all the same.
    const desired = await runner.desired(signal).catch((thrown: unknown) => {
      signal.throwIfAborted();
      if (query?.$case === 'object') throw thrown;
      return undefined;
    });
    const masking = maskingOf(desired);
    switch (query?.$case) {
      case 'tree': {
        const tree = await readTree(cluster, app, signal);
        const nodes = tree.nodes.map((node) => ({ ...node, message: masking.text(node.message) }));
        return output.document({ ...tree, nodes });
      }
      case 'object': {
        const { object, diff } = query.value;
        if (!object || !desired) throw new MusterError('invalid', 'the ask names no object');
        return output.document(await readObject(cluster, app, desired, object, masking, { diff, signal }));
      }
      case 'events':
        return output.document(await readEvents(cluster, app, query.value.object, masking, signal));
      case 'logs':
        return readLogs(cluster, app, query.value, masking, { tell: (lines) => output.lines(lines), signal });
      case undefined:
        throw new MusterError(
          'unsupported',
          'this agent does not know the question: it may be older than the hub',
        );
    }
  }
}

/** The answer is as long as it may be. */
class Full extends MusterError {
  constructor(bytes: number) {
    super('limit', `the answer is longer than ${Math.round(bytes / 1024)} KiB`);
  }
}

/** Writes in pieces, and no more than was asked for. */
class Output {
  private readonly call: AnswerCall;
  private left: number;
  private readonly limit: number;
  private order: Promise<void> = Promise.resolve();

  constructor(call: AnswerCall, limit: number) {
    this.call = call;
    this.left = limit;
    this.limit = limit;
  }

  async document(value: unknown): Promise<string> {
    await this.write(Buffer.from(JSON.stringify(value)));
    return '';
  }

  /** Lines of JSON; those of several containers never mix. */
  lines(values: readonly unknown[]): Promise<void> {
    const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    this.order = this.order.then(() => this.write(bytes));
    return this.order;
  }

  private async write(bytes: Buffer): Promise<void> {
    if (bytes.length > this.left) throw new Full(this.limit);
    this.left -= bytes.length;
    for (let at = 0; at < bytes.length; at += PIECE) await this.call.write(bytes.subarray(at, at + PIECE));
  }
}

function lateEnding({ query, maxSeconds }: Ask): AnswerEnding {
  if (query?.$case === 'logs') return { ...DONE, cut: `${maxSeconds} s are over` };
  return { ...DONE, code: 'unavailable', message: `the cluster did not tell within ${maxSeconds} s` };
}

function errorEnding({ query }: Ask, thrown: unknown): AnswerEnding {
  const error = MusterError.from(thrown);
  const kind = query && 'object' in query.value ? (query.value.object?.kind ?? '') : '';
  const message = thrown instanceof KubeError ? safeMessage(kind, thrown) : error.message;
  return { code: error.code, message, hint: error.hint ?? '', cut: '' };
}
