import type { ErrorCode } from '@muster/base';
import { MusterError } from '@muster/base';
import { type AnswerEnd, AnswerRequest, Ask } from '@muster/proto';

/** What can be asked of a cluster about one Application. */
export type AskQuery = NonNullable<Ask['query']>;

export interface AskRequest {
  cluster: { id: string; name: string };
  application: { namespace: string; name: string };
  query: AskQuery;
  /** As written into the signed record. */
  actor: string;
  /** The answer is cut off after so long, and so much. */
  maxSeconds: number;
  maxBytes: number;
}

/** How an answer ended: why it was cut short, in words; '' when all was said. */
export interface AnswerEnded {
  cut: string;
}

/** An agent that is connected begins to answer within this time. */
export const ANSWER_WITHIN_MS = 15_000;
/** An ask has to reach its agent within this time. */
export const ASK_TTL_MS = 30_000;
/** Pieces of one answer that may wait to be read; the agent waits meanwhile. */
export const MAX_WAITING = 8;
/** Bytes of one piece. */
export const MAX_PIECE = 1024 * 1024;

/** The bytes to sign. */
export function encodeAsk(
  request: AskRequest,
  stamp: { hubId: string; id: string; epoch: bigint; nowMs: number },
): Uint8Array {
  return Ask.encode({
    hubId: stamp.hubId,
    clusterId: request.cluster.id,
    id: stamp.id,
    epoch: stamp.epoch,
    actor: request.actor,
    issuedAtMs: BigInt(stamp.nowMs),
    expiresAtMs: BigInt(stamp.nowMs + ASK_TTL_MS),
    applicationNamespace: request.application.namespace,
    applicationName: request.application.name,
    maxSeconds: request.maxSeconds,
    maxBytes: BigInt(request.maxBytes),
    query: request.query,
  }).finish();
}

/** A last piece that says why there is no answer. */
export function refusal(code: ErrorCode, message: string, hint = ''): AnswerRequest {
  return AnswerRequest.fromPartial({ end: { code, message, hint, cut: '' } });
}

const CODES = new Set<string>([
  'invalid',
  'forbidden',
  'not-found',
  'conflict',
  'precondition',
  'limit',
  'unavailable',
  'unsupported',
] satisfies ErrorCode[]);

/** What an end means for who waits. @throws MusterError of the agent's words; what it does not know itself is unavailable. */
export function ended(end: AnswerEnd): AnswerEnded {
  if (end.code === '') return { cut: end.cut.slice(0, 1_000) };
  const code = CODES.has(end.code) ? (end.code as ErrorCode) : 'unavailable';
  throw new MusterError(code, end.message.slice(0, 2_000), end.hint ? { hint: end.hint.slice(0, 500) } : {});
}
