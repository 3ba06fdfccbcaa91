import { MusterError } from '@muster/base';
import type { z } from 'zod';

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_PAGES = 100;
const MAX_REDIRECTS = 3;
const TIMEOUT_MS = 20_000;

export type Query = Record<string, string | number | boolean | undefined>;

/** One answer: `next` is where the host says its next page is. */
interface Answer {
  body: unknown;
  headers: Headers;
}

/**
 * Reads the JSON API of a host that keeps repositories. Bounded in size, pages and time. Throws `unavailable` for what
 * may pass (network, rate limits, 5xx), `forbidden` for refused credentials, `invalid` for answers of another shape.
 */
export class ScmHttp {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #signal: AbortSignal;

  constructor(base: string, headers: Record<string, string>, signal: AbortSignal) {
    this.#base = base.replace(/\/+$/, '');
    this.#headers = headers;
    this.#signal = signal;
  }

  /** Undefined for 404, and for 204: there is nothing. */
  async find<T>(path: string, schema: z.ZodType<T>, query: Query = {}): Promise<T | undefined> {
    const answer = await this.#get(this.#url(path, query));
    return answer && parsed(answer.body, schema, path);
  }

  async exists(path: string, query: Query = {}): Promise<boolean> {
    return (await this.#get(this.#url(path, query))) !== undefined;
  }

  /** All pages that `next` leads to; undefined where the first is 404. `next` answers the changed query, or nothing. */
  async pages<T>(
    path: string,
    schema: z.ZodType<T>,
    query: Query,
    next: (page: T, headers: Headers, query: Query) => Query | undefined,
  ): Promise<T[] | undefined> {
    const found: T[] = [];
    let asked: Query | undefined = query;
    while (asked) {
      if (found.length === MAX_PAGES)
        throw new MusterError('limit', `${this.#base}/${path} has more than ${MAX_PAGES} pages`);
      const answer = await this.#get(this.#url(path, asked));
      if (!answer) return found.length === 0 ? undefined : found;
      const page = parsed(answer.body, schema, path);
      found.push(page);
      asked = next(page, answer.headers, asked);
    }
    return found;
  }

  /** Changes something; the answer is read like any other. Throws `invalid` with the host's own words for what it refuses. */
  async send<T>(
    method: 'POST' | 'PATCH' | 'PUT',
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const url = this.#url(path, {});
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const at = `${url.origin}${url.pathname}`;
    let response: Response;
    try {
      const headers = { ...this.#headers, 'content-type': 'application/json' };
      response = await fetch(url, {
        method,
        headers,
        body: JSON.stringify(body),
        redirect: 'manual',
        signal,
      });
    } catch (thrown) {
      this.#signal.throwIfAborted();
      throw new MusterError('unavailable', `${at} cannot be reached: ${reasonOf(thrown)}`, { cause: thrown });
    }
    const bytes = await bytesOf(response, at);
    if (!response.ok) {
      const refused = refusal(response, at);
      throw refused.code === 'invalid'
        ? new MusterError('invalid', `${refused.message}${wordsOf(bytes)}`)
        : refused;
    }
    return parsed(json(bytes, at), schema, path);
  }

  #url(path: string, query: Query): URL {
    const url = new URL(`${this.#base}/${path}`);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  async #get(url: URL, redirects = 0): Promise<Answer | undefined> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const at = `${url.origin}${url.pathname}`;
    let response: Response;
    try {
      response = await fetch(url, { headers: this.#headers, redirect: 'manual', signal });
    } catch (thrown) {
      this.#signal.throwIfAborted();
      throw new MusterError('unavailable', `${at} cannot be reached: ${reasonOf(thrown)}`, { cause: thrown });
    }
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location) {
      const target = new URL(location, url);
      // Credentials go to no other host.
      if (target.origin !== url.origin || redirects === MAX_REDIRECTS)
        throw new MusterError('invalid', `${at} redirects to ${target.origin}`);
      await response.body?.cancel();
      return this.#get(target, redirects + 1);
    }
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      throw refusal(response, at);
    }
    if (response.status === 204) return undefined;
    return { body: json(await bytesOf(response, at), at), headers: response.headers };
  }
}

function refusal({ status, headers }: Response, at: string): MusterError {
  const limited = status === 429 || (status === 403 && headers.get('x-ratelimit-remaining') === '0');
  if (limited) {
    const reset = Number(headers.get('x-ratelimit-reset') ?? headers.get('ratelimit-reset'));
    const wait = headers.get('retry-after');
    const until = reset > 0 ? ` until ${new Date(reset * 1000).toISOString()}` : wait ? ` for ${wait} s` : '';
    return new MusterError('unavailable', `${at}: the rate limit is used up${until}`);
  }
  if (status === 401 || status === 403) {
    return new MusterError('forbidden', `${at} answers ${status}`, {
      hint: 'check the credentials registered for this host',
    });
  }
  return new MusterError(status >= 500 ? 'unavailable' : 'invalid', `${at} answers ${status}`);
}

/** What a host says of a refusal, in brief. */
function wordsOf(bytes: Buffer): string {
  const text = bytes.toString('utf8').replace(/\s+/g, ' ').slice(0, 300);
  return text === '' ? '' : `: ${text}`;
}

async function bytesOf(response: Response, at: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > MAX_BYTES) throw new MusterError('limit', `${at} answers with more than 10 MiB`);
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (thrown instanceof MusterError) throw thrown;
    throw new MusterError('unavailable', `${at} broke off: ${reasonOf(thrown)}`, { cause: thrown });
  }
  return Buffer.concat(chunks);
}

function json(bytes: Buffer, at: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new MusterError('invalid', `${at} answers with something that is not JSON`);
  }
}

function parsed<T>(body: unknown, schema: z.ZodType<T>, path: string): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new MusterError(
    'invalid',
    `the answer to ${path} has another shape: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

function reasonOf(thrown: unknown): string {
  const error = thrown as Error & { cause?: { code?: string; message?: string } };
  return error.cause?.code ?? error.cause?.message ?? error.message;
}
