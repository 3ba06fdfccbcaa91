import { randomUUID } from 'node:crypto';
import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import type * as proto from '@muster/proto';
import { Ask, type Signed } from '@muster/proto/records';
import type { TestKeys } from './test-keys.ts';

/** What came of an ask. */
export interface TestAnswer {
  readonly id: string;
  text: string;
  end: proto.AnswerEnd | undefined;
  /** The call is over, whoever ended it. */
  ended: boolean;
  /** Breaks the call off, as a hub where nobody waits any more. */
  close(): void;
}

/** Signs asks, and keeps what agents answer. */
export class TestAsks {
  private readonly answers = new Map<string, TestAnswer>();
  private readonly keys: TestKeys;

  constructor(keys: TestKeys) {
    this.keys = keys;
  }

  ask(wanted: Partial<Ask>): { answer: TestAnswer; signed: Signed } {
    const id = randomUUID();
    const ask = Ask.fromPartial({
      id,
      epoch: 1n,
      actor: 'test',
      issuedAtMs: BigInt(Date.now()),
      expiresAtMs: BigInt(Date.now() + 30_000),
      applicationNamespace: 'argocd',
      maxSeconds: 60,
      maxBytes: 8n * 1024n * 1024n,
      ...wanted,
    } as never);
    const answer: TestAnswer = { id, text: '', end: undefined, ended: false, close: () => undefined };
    this.answers.set(id, answer);
    return { answer, signed: this.keys.sign('muster.ask.v1', Ask.encode(ask).finish()) };
  }

  /** The call in which an agent answers. */
  take(
    call: ServerReadableStream<proto.AnswerRequest, proto.AnswerResponse>,
    done: sendUnaryData<proto.AnswerResponse>,
  ): void {
    let answer: TestAnswer | undefined;
    call.on('data', (message: proto.AnswerRequest) => {
      answer ??= this.answers.get(message.askId);
      if (!answer) return call.emit('error', Object.assign(new Error('nobody waits'), { code: 5 }));
      answer.close = () => call.emit('error', Object.assign(new Error('nobody waits'), { code: 1 }));
      answer.text += Buffer.from(message.data).toString('utf8');
      if (message.end) answer.end = message.end;
    });
    const over = () => {
      if (answer) answer.ended = true;
    };
    call.on('end', () => {
      over();
      done(null, {});
    });
    call.on('cancelled', over);
    call.on('error', over);
  }
}
