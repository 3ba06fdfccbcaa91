import { type ChannelCredentials, type ClientOptions, Metadata, credentials, status } from '@grpc/grpc-js';
import { type ErrorCode, MusterError } from '@muster/base';
import { AgentServiceClient, EnrollmentServiceClient } from '@muster/proto';
import type { IdentityRecord } from '../state/records.ts';

const OPTIONS: Partial<ClientOptions> = {
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  // Pauses between calls are the session's own; these bound the connection attempts below it.
  'grpc.initial_reconnect_backoff_ms': 250,
  'grpc.max_reconnect_backoff_ms': 5_000,
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  'grpc.max_send_message_length': 16 * 1024 * 1024,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
};

/** The enrolment service; trusts the given CA and nothing else. */
export function enrolmentClient(address: string, ca: string): EnrollmentServiceClient {
  return new EnrollmentServiceClient(address, credentials.createSsl(Buffer.from(ca)), OPTIONS);
}

/** The session service, with the agent's certificate. */
export function agentClient(address: string, identity: IdentityRecord): AgentServiceClient {
  return new AgentServiceClient(address, mutualTls(identity), OPTIONS);
}

function mutualTls({ ca, privateKey, accepted }: IdentityRecord): ChannelCredentials {
  const chain = Buffer.from(accepted?.certificates.join('\n') ?? '');
  return credentials.createSsl(Buffer.from(ca), Buffer.from(privateKey), chain);
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline: Date },
  callback: (error: Error | null, response: Response) => void,
) => { cancel(): void };

/** One unary call as a promise. Throws MusterError. */
export function unary<Request, Response>(
  call: Unary<Request, Response>,
  request: Request,
  signal: AbortSignal,
  timeout = 15_000,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const deadline = new Date(Date.now() + timeout);
    const running = call(request, new Metadata(), { deadline }, (error, response) => {
      signal.removeEventListener('abort', cancel);
      if (error) reject(fromGrpc(error));
      else resolve(response);
    });
    const cancel = () => running.cancel();
    signal.addEventListener('abort', cancel, { once: true });
  });
}

const CODES = new Map<number, ErrorCode>([
  [status.INVALID_ARGUMENT, 'invalid'],
  [status.UNAUTHENTICATED, 'unauthenticated'],
  [status.PERMISSION_DENIED, 'forbidden'],
  [status.NOT_FOUND, 'not-found'],
  [status.ALREADY_EXISTS, 'conflict'],
  [status.FAILED_PRECONDITION, 'precondition'],
  [status.ABORTED, 'conflict'],
  [status.RESOURCE_EXHAUSTED, 'limit'],
  [status.OUT_OF_RANGE, 'invalid'],
  [status.UNIMPLEMENTED, 'unsupported'],
  [status.INTERNAL, 'internal'],
]);

/** The error of a call, with the hub's words. */
export function fromGrpc(thrown: unknown): MusterError {
  if (thrown instanceof MusterError) return thrown;
  const { code, details, message } = thrown as { code?: number; details?: string; message?: string };
  const text = details || message || String(thrown);
  return new MusterError(CODES.get(code ?? -1) ?? 'unavailable', text, { cause: thrown });
}
