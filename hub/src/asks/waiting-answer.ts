import { MusterError } from '@muster/base';
import type { AnswerRequest } from '@muster/proto';
import { type AnswerEnded, MAX_WAITING, ended } from './ask.ts';

/** The pieces of one answer between who brings them and who reads them. Who brings waits while too many are unread. */
export class WaitingAnswer {
  readonly #pieces: AnswerRequest[] = [];
  readonly #over = new AbortController();
  #arrived: () => void = () => undefined;
  #taken: () => void = () => undefined;
  #bytesLeft: number;
  #heard = false;

  /** @param maxBytes an agent that says more is cut off. */
  constructor(maxBytes: number) {
    this.#bytesLeft = maxBytes;
  }

  /** Aborted when nobody reads any more. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether the cluster has said anything. */
  get heard(): boolean {
    return this.#heard;
  }

  /** The cluster has begun to answer. */
  begun(): void {
    this.#heard = true;
    this.#arrived();
  }

  /** Hands a piece over; resolves when another one may come. @throws MusterError when nobody reads any more. */
  async put(piece: AnswerRequest): Promise<void> {
    this.#over.signal.throwIfAborted();
    this.#pieces.push(piece);
    this.begun();
    while (this.#pieces.length > MAX_WAITING && !this.#over.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#taken = resolve;
      });
    }
    this.#over.signal.throwIfAborted();
  }

  /** Ends reading: whoever brings more is told so. */
  close(): void {
    this.#over.abort(new MusterError('not-found', 'nobody waits for this answer'));
    this.#arrived();
    this.#taken();
  }

  /**
   * The pieces as they come; returns how the answer ended.
   * @throws MusterError of the agent's refusal, unavailable when nothing is heard in time, limit, the signal's reason.
   */
  async *read(
    silent: { withinMs: number; error: () => MusterError },
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, AnswerEnded, undefined> {
    const wake = () => this.#arrived();
    signal.addEventListener('abort', wake, { once: true });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#arrived();
    }, silent.withinMs);
    try {
      for (;;) {
        signal.throwIfAborted();
        const piece = this.#pieces.shift();
        if (!piece) {
          if (late && !this.#heard) throw silent.error();
          this.#over.signal.throwIfAborted();
          await new Promise<void>((resolve) => {
            this.#arrived = resolve;
          });
          continue;
        }
        this.#taken();
        if (piece.data.length > 0) {
          this.#bytesLeft -= piece.data.length;
          if (this.#bytesLeft < 0) throw new MusterError('limit', 'the answer is longer than was asked for');
          yield piece.data;
        }
        if (piece.end) return ended(piece.end);
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      this.close();
    }
  }
}
