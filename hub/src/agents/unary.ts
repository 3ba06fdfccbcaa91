import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { MusterError } from '@muster/base';
import type { Logger } from '../telemetry/logger.ts';
import { toServiceError } from './grpc-status.ts';

/** A promise as the handler of a unary call. What is unexpected is logged here and told to nobody. */
export function unary<Request, Response>(
  logger: Logger,
  answer: (call: ServerUnaryCall<Request, Response>) => Promise<Response>,
) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    answer(call).then(
      (response) => callback(null, response),
      (error: unknown) => {
        if (MusterError.from(error).code === 'internal')
          logger.error({ err: error, call: call.getPath() }, 'a call of an agent failed');
        callback(toServiceError(error));
      },
    );
  };
}
