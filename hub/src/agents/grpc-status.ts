import { MusterError, type ErrorCode } from '@muster/base';
import { type ServiceError, Metadata, status } from '@grpc/grpc-js';

const STATUS: Record<ErrorCode, status> = {
  invalid: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  'not-found': status.NOT_FOUND,
  conflict: status.ABORTED,
  precondition: status.FAILED_PRECONDITION,
  limit: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  unsupported: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
};

/** What an agent is told of an error: its code and its words, and of an unexpected one no words. */
export function toServiceError(thrown: unknown): ServiceError {
  const error = MusterError.from(thrown);
  const details = error.code === 'internal' ? 'internal error of the hub' : error.describe();
  return Object.assign(new Error(details), { code: STATUS[error.code], details, metadata: new Metadata() });
}
