import { type LookupAddress, lookup as resolveName } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { MusterError } from '@muster/base';

export interface HttpCall {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
  /** Bytes of the answer that are read; the rest is left. */
  maxBytes: number;
  timeoutMs: number;
  /** PEM; absent: what Node.js knows. */
  ca?: string;
  /** Why an address may not be talked to; absent: every one may. */
  refusal?: (address: string) => string | undefined;
}

export interface HttpAnswer {
  status: number;
  body: string;
  /** There was more. */
  cut: boolean;
}

/**
 * One request over a connection of its own; redirects are not followed. The address that was checked is the one that is
 * connected to.
 * @throws MusterError `forbidden` for an address that may not be asked, `not-found` for a name that does not resolve,
 * `unavailable` for everything else that is no answer.
 */
export function callHttp(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
  const late = AbortSignal.timeout(call.timeoutMs);
  const send = call.url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise<HttpAnswer>((resolve, reject) => {
    const fail = (thrown: unknown) => reject(late.aborted ? tooLate(call) : asError(thrown));
    const outgoing = send(call.url, {
      method: call.method,
      headers: { 'user-agent': 'muster-hub', connection: 'close', ...call.headers },
      agent: false,
      signal: AbortSignal.any([signal, late]),
      lookup: lookupWith(call.refusal),
      ...(call.ca === undefined ? {} : { ca: call.ca }),
    });
    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      readBounded(incoming, call.maxBytes)
        .then(({ body, cut }) => resolve({ status: incoming.statusCode ?? 0, body, cut }), fail)
        .finally(() => outgoing.destroy());
    });
    outgoing.end(call.body);
  });
}

async function readBounded(incoming: IncomingMessage, maxBytes: number) {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  const body = Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
  return { body, cut: size > maxBytes };
}

/** Resolves as Node.js does, and refuses before anything is connected to. */
function lookupWith(refusal: HttpCall['refusal']): LookupFunction {
  return (name, options, done) => {
    resolveName(name, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error)
        return done(new MusterError('not-found', `its name does not resolve (${error.code})`), '', 0);
      for (const { address } of addresses) {
        const refused = refusal?.(address);
        if (refused) return done(new MusterError('forbidden', refused), '', 0);
      }
      if (options.all) return done(null, addresses);
      const [first] = addresses;
      return done(null, first?.address ?? '', first?.family);
    });
  };
}

function tooLate({ timeoutMs }: HttpCall): MusterError {
  return new MusterError('unavailable', `no answer within ${timeoutMs / 1000} s`);
}

/** Codes of sockets and of TLS; messages of Node.js may repeat what was sent. */
function asError(thrown: unknown): MusterError {
  if (thrown instanceof MusterError) return thrown;
  const { code, errors } = thrown as { code?: string; errors?: { code?: string }[] };
  const word = code ?? errors?.[0]?.code;
  return new MusterError('unavailable', word ? `no connection (${word})` : 'no answer', { cause: thrown });
}
