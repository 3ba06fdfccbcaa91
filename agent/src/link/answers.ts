import { Metadata } from '@grpc/grpc-js';
import { MusterError } from '@muster/base';
import { AnswerRequest, type AgentServiceClient } from '@muster/proto';
import type { AnswerCall } from '../access/asks.ts';
import { fromGrpc } from './channel.ts';

const END_WITHIN_MS = 10_000;

/** Opens the call that carries one answer. Waits while the hub takes no more, and ends what is read when it breaks it off. */
export function openAnswer(client: AgentServiceClient, askId: string): AnswerCall {
  const broken = new AbortController();
  const ended = Promise.withResolvers<void>();
  const stream = client.answer(new Metadata(), (error) => {
    if (error) broken.abort(fromGrpc(error));
    ended.resolve();
  });
  stream.on('error', (error) => broken.abort(fromGrpc(error)));
  // Named at once: a hub where nobody waits says so before anything is read.
  stream.write(AnswerRequest.fromPartial({ askId }));
  const write = (message: Partial<AnswerRequest>) =>
    new Promise<void>((resolve, reject) => {
      broken.signal.throwIfAborted();
      const sent = stream.write(AnswerRequest.fromPartial(message as never));
      if (sent) return resolve();
      const stop = () => {
        stream.off('drain', go);
        broken.signal.removeEventListener('abort', fail);
      };
      const go = () => {
        stop();
        resolve();
      };
      const fail = () => {
        stop();
        reject(MusterError.from(broken.signal.reason));
      };
      stream.once('drain', go);
      broken.signal.addEventListener('abort', fail, { once: true });
    });
  return {
    broken: broken.signal,
    write: (data) => write({ data }),
    end: async (ending) => {
      if (broken.signal.aborted) return;
      await write({ end: ending });
      stream.end();
      const late = setTimeout(() => stream.cancel(), END_WITHIN_MS);
      await ended.promise;
      clearTimeout(late);
    },
  };
}
