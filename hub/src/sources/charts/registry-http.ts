import { createHash } from 'node:crypto';
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { MusterError } from '@muster/base';
import type { Credentials } from '../credentials.ts';

/** How the servers of charts are reached. */
export interface RegistryAccess {
  credentials?: Credentials | undefined;
  /** Certificates to trust besides the system's, PEM. */
  ca?: string | undefined;
  /** Skips the check of TLS certificates. */
  insecure: boolean;
  /** Registries: http instead of https. */
  plainHttp: boolean;
  /** Helm repositories: credentials go to other hosts too, which the index names. */
  passCredentials: boolean;
}

export const OPEN_ACCESS: RegistryAccess = { insecure: false, plainHttp: false, passCredentials: false };

export interface Question {
  method?: 'GET' | 'HEAD';
  headers?: Record<string, string>;
  /** The header `Authorization`: sent to the URL's own host only. */
  authorization?: string | undefined;
  /** Largest answer, bytes, unpacked where it is compressed. */
  maxBytes: number;
  timeoutMs?: number;
  /** Statuses besides 2xx that are answers and not errors. */
  expect?: readonly number[];
}

export interface Answer {
  status: number;
  header(name: string): string | undefined;
  body: Buffer;
}

const MAX_REDIRECTS = 5;
const TIMEOUT_MS = 60_000;
const unpack = promisify(gunzip);

/**
 * Reads from servers of charts, bounded in bytes, redirects and time. Throws `unavailable` for what may pass,
 * `forbidden` for refused credentials, `not-found` for 404, `limit` for too much, `invalid` else. Messages name the
 * URL without its query, which may be signed.
 */
export class RegistryHttp {
  readonly #access: RegistryAccess;
  readonly #signal: AbortSignal | undefined;

  constructor(access: RegistryAccess, signal?: AbortSignal) {
    this.#access = access;
    this.#signal = signal;
  }

  /** The header for user name and password, or for a token. Throws `invalid` for credentials that do not fit. */
  authorization(): string | undefined {
    const { credentials } = this.#access;
    if (!credentials) return undefined;
    if (credentials.kind === 'ssh')
      throw new MusterError('invalid', 'charts are read with a password or a token, not with an SSH key');
    if (credentials.kind === 'token') return `Bearer ${credentials.token}`;
    return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  }

  async ask(url: URL, question: Question): Promise<Answer> {
    const deadline = AbortSignal.timeout(question.timeoutMs ?? TIMEOUT_MS);
    const signal = this.#signal ? AbortSignal.any([this.#signal, deadline]) : deadline;
    try {
      return await this.#follow(url, question, signal);
    } catch (thrown) {
      this.#signal?.throwIfAborted();
      if (thrown instanceof MusterError) throw thrown;
      if (deadline.aborted) throw new MusterError('unavailable', `${shown(url)} took too long to answer`);
      throw explain(thrown, url);
    }
  }

  async #follow(url: URL, question: Question, signal: AbortSignal): Promise<Answer> {
    let at = url;
    let { authorization } = question;
    for (let redirects = 0; ; redirects++) {
      this.#checkTransport(at, authorization);
      const response = await this.#send(at, question, authorization, signal);
      const { statusCode: status = 0 } = response;
      const { location } = response.headers;
      if (status >= 300 && status < 400 && status !== 304 && location) {
        response.destroy();
        const next = new URL(location, at);
        if (redirects === MAX_REDIRECTS || !/^https?:$/.test(next.protocol))
          throw new MusterError('invalid', `${shown(url)} redirects too often, or to ${next.protocol}//`);
        if (at.protocol === 'https:' && next.protocol === 'http:')
          throw new MusterError('invalid', `${shown(at)} redirects from https to http`);
        // Storage behind a registry has signed URLs and must not see the password.
        if (next.origin !== at.origin) authorization = undefined;
        at = next;
        continue;
      }
      if ((status < 200 || status > 299) && !question.expect?.includes(status)) {
        response.destroy();
        throw refusal(status, at, this.#access.credentials !== undefined);
      }
      return answerOf(response, status, await bodyOf(response, question.maxBytes, at));
    }
  }

  #checkTransport(url: URL, authorization: string | undefined): void {
    if (url.protocol !== 'http:' || !authorization || this.#access.insecure || this.#access.plainHttp) return;
    if (/^(127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname)) return;
    throw new MusterError(
      'invalid',
      'credentials are not sent over http, where anyone on the way reads them',
      { where: shown(url), hint: 'use https, or register the repository as insecure' },
    );
  }

  #send(
    url: URL,
    { method = 'GET', headers = {} }: Question,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { ca, insecure } = this.#access;
    const options: RequestOptions & { ca?: string; rejectUnauthorized?: boolean } = {
      method,
      headers: { 'user-agent': 'muster', ...headers, ...(authorization ? { authorization } : {}) },
      signal,
    };
    if (url.protocol === 'https:' && ca) options.ca = ca;
    if (url.protocol === 'https:' && insecure) options.rejectUnauthorized = false;
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, resolve);
      request.on('error', reject);
      request.end();
    });
  }
}

function answerOf(response: IncomingMessage, status: number, body: Buffer): Answer {
  return {
    status,
    body,
    header(name) {
      const value = response.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
  };
}

async function bodyOf(response: IncomingMessage, maxBytes: number, url: URL): Promise<Buffer> {
  const tooMuch = () =>
    new MusterError('limit', `${shown(url)} answers with more than ${Math.floor(maxBytes / 1024)} KiB`);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      response.destroy();
      throw tooMuch();
    }
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (response.headers['content-encoding'] !== 'gzip' || size === 0) return body;
  return unpack(body, { maxOutputLength: maxBytes }).catch((thrown: NodeJS.ErrnoException) => {
    throw thrown.code === 'ERR_BUFFER_TOO_LARGE' ? tooMuch() : thrown;
  });
}

function refusal(status: number, url: URL, withCredentials: boolean): MusterError {
  const at = shown(url);
  if (status === 401 || status === 403) {
    return new MusterError('forbidden', `${at} answers ${status}`, {
      hint: withCredentials
        ? 'check the credentials registered for it'
        : 'register credentials for it: muster repo add URL --username … --password-stdin',
    });
  }
  if (status === 404) return new MusterError('not-found', `${at} does not exist`, { hint: 'check the URL' });
  if (status === 429)
    return new MusterError('unavailable', `${at}: too many requests; it is asked again later`);
  return new MusterError(status >= 500 ? 'unavailable' : 'invalid', `${at} answers ${status}`);
}

function explain(thrown: unknown, url: URL): MusterError {
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  const at = shown(url);
  if (/CERT|SIGNATURE|ALTNAME|SELF_SIGNED|ISSUER/.test(code)) {
    return new MusterError('unavailable', `${at} presented a certificate that is not trusted (${code})`, {
      hint: 'register the repository with --ca-file, or as insecure',
      cause: thrown,
    });
  }
  const reason = code === 'ENOTFOUND' ? 'the host is not known' : code || message;
  return new MusterError('unavailable', `${at} cannot be reached: ${reason}`, {
    hint: 'check the URL, and that the server is up and the hub may connect to it',
    cause: thrown,
  });
}

/** A URL without user and query. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** `sha256:` and the hash of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
