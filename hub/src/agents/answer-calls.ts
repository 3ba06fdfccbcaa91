import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import { MusterError } from '@muster/base';
import type { AnswerRequest, AnswerResponse } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { type Arrival, AsksService } from '../asks/asks.service.ts';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { toServiceError } from './grpc-status.ts';
import { peerOf } from './peer.ts';

/** An answer says which ask it belongs to at once. */
const NAMED_WITHIN_MS = 10_000;

/** Answers of agents, each a call of its own: read as fast as whoever waits reads, broken off when nobody does. */
@Injectable()
export class AnswerCalls {
  constructor(
    @Inject(AsksService) private readonly asks: AsksService,
    @Inject(CertificatesService) private readonly certificates: CertificatesService,
  ) {}

  /** Takes one answer. Never throws: what is wrong is told to the agent. */
  async take(
    call: ServerReadableStream<AnswerRequest, AnswerResponse>,
    answered: sendUnaryData<AnswerResponse>,
  ): Promise<void> {
    let arrival: Arrival | undefined;
    let told = false;
    const tell = (error: unknown) => {
      if (told) return;
      told = true;
      if (error) answered(toServiceError(error));
      else answered(null, {});
    };
    const unnamed = setTimeout(
      () => fail(new MusterError('invalid', 'the answer names no ask')),
      NAMED_WITHIN_MS,
    );
    const fail = (error: unknown) => {
      tell(error);
      call.destroy();
    };
    try {
      const peer = peerOf(call);
      await this.certificates.requireUnrevoked(peer);
      for await (const message of call as AsyncIterable<AnswerRequest>) {
        if (!arrival) {
          arrival = await this.asks.arrive(peer.clusterId, message.askId);
          clearTimeout(unnamed);
          const { over } = arrival;
          over.addEventListener('abort', () => fail(over.reason), { once: true });
        }
        // After the last piece whoever waits leaves, which is no reason to break anything off.
        if (message.end) tell(undefined);
        if (message.data.length > 0 || message.end) await arrival.put(message);
        if (message.end) return;
      }
      throw new MusterError('invalid', 'the answer has no end');
    } catch (error) {
      tell(error);
    } finally {
      clearTimeout(unnamed);
      arrival?.close();
    }
  }
}
