import type { LogLine } from '@muster/api';
import { MusterError } from '@muster/base';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorOf, problemOf } from '../api/problem.ts';
import type { AnswerEnded } from '../asks/ask.ts';

const BEAT_MS = 10_000;
/** A refusal that comes within this time is a status, not a line. */
const HEAD_WITHIN_MS = 2_000;

type Lines = AsyncGenerator<LogLine[], AnswerEnded, undefined>;

/** Writes a log as lines of JSON, no faster than they are read. */
export class LogStream {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.#request = request;
    this.#reply = reply;
  }

  /** @throws MusterError of a refusal that comes before anything was written. */
  async send(lines: Lines): Promise<void> {
    const first = lines.next();
    first.catch(() => undefined); // thrown below, unless nobody is there any more
    await Promise.race([first, pause(HEAD_WITHIN_MS)]);
    const { raw } = this.#reply;
    if (raw.destroyed) return;
    this.#reply.hijack();
    raw.writeHead(200, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    raw.flushHeaders();
    // Proxies cut streams that are silent; a connection that is gone is only found by writing.
    const beat = setInterval(() => raw.destroyed || raw.write('{}\n'), BEAT_MS);
    try {
      for (let next = await first; ; next = await lines.next()) {
        if (next.done) {
          await this.#write(JSON.stringify({ end: next.value }));
          return;
        }
        await this.#write(next.value.map((line) => JSON.stringify({ line })).join('\n'));
      }
    } catch (thrown) {
      const error = errorOf(thrown);
      if (!raw.destroyed) raw.write(`${JSON.stringify({ problem: problemOf(error, this.#request.id) })}\n`);
    } finally {
      clearInterval(beat);
      raw.end();
    }
  }

  async #write(text: string): Promise<void> {
    const { raw } = this.#reply;
    if (raw.destroyed) throw new MusterError('unavailable', 'whoever read this is gone');
    if (raw.write(`${text}\n`)) return;
    await new Promise<void>((resolve) => {
      const go = () => {
        raw.off('drain', go);
        raw.off('close', go);
        resolve();
      };
      raw.on('drain', go);
      raw.on('close', go);
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
