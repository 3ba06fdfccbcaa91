import { type ErrorCode, MusterError } from '@muster/base/errors';
import type { Problem } from './errors.ts';

/** Where a client talks to, and as whom. */
export interface ClientOptions {
  /** Base URL of the hub, `https://muster.example.com`; empty in a page that the hub itself served. */
  hub: string;
  /** An API token (`mst_…`). Without one the cookie counts. */
  token?: string;
  /** `Cookie` header, for programs; browsers send their own. */
  cookie?: string;
  /** Ends every request and stream of this client. */
  signal?: AbortSignal;
  /** Default: the global one. */
  fetch?: typeof fetch;
  /** Hears that the hub is overloaded and that a reading request is sent again in so many seconds. */
  onRetry?: (seconds: number, message: string) => void;
}

/** What a single request may be told. */
export interface RequestOptions {
  signal?: AbortSignal;
}

type QueryValue = string | number | boolean | undefined;

/** The one place that speaks HTTP: JSON in and out, problem+json as MusterError. */
export class Transport {
  readonly options: ClientOptions;

  constructor(options: ClientOptions) {
    this.options = { ...options, hub: options.hub.replace(/\/+$/, '') };
  }

  /** GET with a query. @throws MusterError of the hub's answer, `unavailable` when there is none. */
  get<T>(path: string, query?: object, options?: RequestOptions): Promise<T> {
    return this.json<T>('GET', path + queryText(query), undefined, options);
  }

  post<T>(path: string, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>('POST', path, body ?? {}, options);
  }

  put<T>(path: string, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>('PUT', path, body ?? {}, options);
  }

  delete<T = void>(path: string, query?: object, options?: RequestOptions): Promise<T> {
    return this.json<T>('DELETE', path + queryText(query), undefined, options);
  }

  async json<T>(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<T> {
    const response = await this.send(method, path, { body, ...options });
    const text = await response.text();
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new MusterError('unavailable', `${this.name} did not answer with JSON`, {
        cause,
        hint: 'Is this the address of a Muster hub?',
      });
    }
  }

  /**
   * The answer itself, whose status is below 400. What only reads is sent again a few times when the hub says that it
   * is overloaded, and when to come back.
   */
  async send(
    method: string,
    path: string,
    request: { body?: unknown; headers?: Record<string, string> } & RequestOptions = {},
  ): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.#once(method, path, request);
      if (response.status < 400) return response;
      const seconds = method === 'GET' && attempt < TRIES ? retryAfter(response) : undefined;
      const error = await problemError(response);
      if (seconds === undefined) throw error;
      this.options.onRetry?.(seconds, error.message);
      // Who was sent away together does not come back together.
      await pause(seconds * 1000 * (1 + Math.random() / 2), [request.signal, this.options.signal]);
    }
  }

  async #once(
    method: string,
    path: string,
    { body, headers, signal }: { body?: unknown; headers?: Record<string, string> } & RequestOptions = {},
  ): Promise<Response> {
    const { hub, token, cookie, fetch: send = fetch } = this.options;
    const response = await send(hub + path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : cookie ? { cookie } : {}),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...this.#signal(signal),
    }).catch((cause: unknown) => {
      (signal ?? this.options.signal)?.throwIfAborted();
      this.options.signal?.throwIfAborted();
      throw new MusterError('unavailable', `${this.name} is not reachable: ${reasonOf(cause)}`, {
        cause,
        hint: 'Is it running, and is its address right?',
      });
    });
    return response;
  }

  get name(): string {
    return `the hub${this.options.hub ? ` at ${this.options.hub}` : ''}`;
  }

  #signal(own: AbortSignal | undefined): { signal?: AbortSignal } {
    const all = [own, this.options.signal].filter((signal) => signal !== undefined);
    if (all.length === 0) return {};
    return { signal: all.length === 1 ? all[0]! : AbortSignal.any(all) };
  }
}

/** Times that a reading request is sent at most. */
const TRIES = 5;
const LONGEST_SECONDS = 15;

/** In how many seconds a hub that is overloaded wants to be asked again; undefined: it does not say. */
function retryAfter({ status, headers }: Response): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  if (status !== 503 || !(seconds >= 0)) return undefined;
  return Math.min(Math.max(seconds, 0.1), LONGEST_SECONDS);
}

/** Waits; rejects with the reason of the first signal that is aborted. */
function pause(ms: number, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const given = signals.filter((signal) => signal !== undefined);
    const over = (act: () => void) => {
      clearTimeout(timer);
      for (const signal of given) signal.removeEventListener('abort', stop);
      act();
    };
    const stop = () => over(() => reject(given.find(({ aborted }) => aborted)?.reason as Error));
    const timer = setTimeout(() => over(resolve), ms);
    for (const signal of given) signal.addEventListener('abort', stop);
    if (given.some(({ aborted }) => aborted)) stop();
  });
}

const CODES = new Set<string>([
  'invalid',
  'unauthenticated',
  'forbidden',
  'not-found',
  'conflict',
  'precondition',
  'limit',
  'unavailable',
  'unsupported',
  'internal',
] satisfies ErrorCode[]);

/** The error that an answer of 400 and above says, even when it is not the hub that gave it. */
export async function problemError(response: Response): Promise<MusterError> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  return errorOfProblem(problem, response.status);
}

/** The error that a problem says. */
export function errorOfProblem(problem: Partial<Problem>, status: number): MusterError {
  const code = CODES.has(problem.code ?? '') ? (problem.code as ErrorCode) : codeOf(status);
  const message = problem.detail ?? problem.title ?? `the hub answered ${status}`;
  const instance = code === 'internal' && problem.instance ? `instance ${problem.instance}` : undefined;
  const { where, hint = instance } = problem;
  return new MusterError(code, message, { ...(where && { where }), ...(hint && { hint }) });
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  if (status === 409) return 'conflict';
  if (status === 429) return 'limit';
  return status >= 500 ? 'unavailable' : 'invalid';
}

/** Undici hides the reason in `cause`; one with several addresses in `cause.errors`. */
function reasonOf(thrown: unknown): string {
  const cause = (thrown as { cause?: unknown } | null)?.cause;
  const errors = (cause as { errors?: unknown[] } | null)?.errors;
  const inner = (errors?.[0] ?? cause ?? thrown) as { message?: string; code?: string };
  return inner.message || inner.code || String(thrown);
}

/** `?a=b`; undefined values are left out. */
export function queryText(query: object | undefined): string {
  const text = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {}) as [string, QueryValue][]) {
    if (value !== undefined) text.set(key, String(value));
  }
  return text.size === 0 ? '' : `?${text.toString()}`;
}
