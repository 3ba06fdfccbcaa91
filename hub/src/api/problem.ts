import { randomUUID } from 'node:crypto';
import type { Problem } from '@muster/api';
import { type ErrorCode, MusterError } from '@muster/base';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimited } from '../access/login-limit.ts';
import { Overloaded, overloadOf } from '../store/overload.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';

/** The one mapping from error codes to HTTP. */
const STATUS: Record<ErrorCode, { status: number; title: string }> = {
  invalid: { status: 400, title: 'Invalid request' },
  unauthenticated: { status: 401, title: 'Not logged in' },
  forbidden: { status: 403, title: 'Forbidden' },
  'not-found': { status: 404, title: 'Not found' },
  conflict: { status: 409, title: 'Conflict' },
  precondition: { status: 412, title: 'Not possible now' },
  limit: { status: 413, title: 'Too much' },
  unavailable: { status: 503, title: 'Unavailable' },
  unsupported: { status: 422, title: 'Not supported' },
  internal: { status: 500, title: 'Internal error' },
};

/** The problem of an error. What is internal is not shown: `instance` finds it in the log. */
export function problemOf(error: MusterError, instance: string): Problem {
  const { status, title } =
    error instanceof RateLimited ? { status: 429, title: 'Too many requests' } : STATUS[error.code];
  const hidden = error.code === 'internal';
  return {
    type: 'about:blank',
    title,
    status,
    code: error.code,
    detail: hidden ? 'the hub failed; its log says more under this instance' : error.message,
    ...(error.where && !hidden && { where: error.where }),
    ...(error.hint && { hint: error.hint }),
    instance,
  };
}

/** Anything thrown while a request is handled, as a MusterError. */
export function errorOf(thrown: unknown): MusterError {
  if (thrown instanceof MusterError && thrown.code !== 'internal') return thrown;
  const overload = overloadOf(thrown);
  if (overload) return overload;
  if (thrown instanceof MusterError) return thrown;
  const status = statusOf(thrown);
  if (status === undefined) return new MusterError('internal', 'unexpected error', { cause: thrown });
  return new MusterError(codeOf(status), thrown instanceof Error ? thrown.message : 'the request failed', {
    cause: thrown,
  });
}

/** The status of an error of Nest or Fastify (bad JSON, a body that is too large, no such route). */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status = (thrown as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' && status >= 400 ? status : undefined;
}

function codeOf(status: number): ErrorCode {
  if (status === 413) return 'limit';
  const known = (Object.keys(STATUS) as ErrorCode[]).find((code) => STATUS[code].status === status);
  return known ?? (status < 500 ? 'invalid' : 'internal');
}

/** Answers every error as `application/problem+json`; a browser that follows a link of the web UI gets the page. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) return;
    const error = errorOf(thrown);
    if (error.code === 'not-found' && wantsPage(request) && 'sendFile' in reply) {
      void (reply as FastifyReply & { sendFile(path: string): FastifyReply })
        .code(200)
        .header('cache-control', 'no-cache')
        .sendFile('index.html');
      return;
    }
    const problem = problemOf(error, request.id ?? randomUUID());
    if (problem.status >= 500) {
      this.logger.error({ err: thrown, request: problem.instance, method: request.method }, 'request failed');
    }
    if (error instanceof RateLimited || error instanceof Overloaded)
      void reply.header('retry-after', String(error.retryAfterSeconds));
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="muster"');
    void reply.code(problem.status).type('application/problem+json').send(problem);
  }
}

/** The routes of the single-page UI are not known here: a browser that asks for a page gets the one there is. */
function wantsPage(request: FastifyRequest): boolean {
  const path = request.url.split('?', 1)[0]!;
  return (
    request.method === 'GET' &&
    (request.headers.accept ?? '').includes('text/html') &&
    !/^\/(api|charts|assets|metrics|livez|readyz)(\/|$)/.test(path)
  );
}
