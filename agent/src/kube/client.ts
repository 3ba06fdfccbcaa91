import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import type { KubeAccess } from './kubeconfig.ts';
import { KubeError, type KubeStatus } from './errors.ts';
import { explainForbidden } from './forbidden.ts';
import type { KubeObject } from './objects.ts';

export type Query = Record<string, string | number | boolean | undefined>;

export interface CallOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Query;
  /** JSON text or an object to be written as JSON. */
  body?: string | object;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal;
  /** Milliseconds for one try; default 60 000. */
  timeout?: number;
  /** Tries in all; default 5 (1 for POST, whose repetition is not harmless). */
  tries?: number;
  /** Bytes of the answer that are read at most; default 64 MiB. */
  maxBytes?: number;
  /** "namespace/name" of the ServiceAccount to act as. */
  impersonate?: string;
}

export interface ApplyOptions {
  dryRun?: boolean;
  impersonate?: string;
  signal?: AbortSignal;
}

/** The answer of an apply: the object as it is now, and whether it was not there before. */
export interface Applied {
  object: KubeObject;
  created: boolean;
}

export interface DeleteOptions {
  uid?: string;
  resourceVersion?: string;
  propagation?: 'Foreground' | 'Background' | 'Orphan';
  impersonate?: string;
  signal?: AbortSignal;
}

/** Why a request is not sent, in words; undefined: it is. `account`: whom it is made as, where not as the agent. */
export type RequestRefusal = (request: {
  path: string;
  writes: boolean;
  account: string | undefined;
}) => string | undefined;

/** The owner of the fields that Muster applies. */
export const FIELD_MANAGER = 'muster';

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_CONNECTIONS = 24;
const WATCH_IDLE_MS = 180_000;

/** JSON over HTTP to one API server: keep-alive, bounded answers, tries again with jitter. */
export class KubeClient {
  private readonly access: KubeAccess;
  private refusal: RequestRefusal = () => undefined;
  private agents: { tlsKey: string; calls: Agent; watches: Agent } | undefined;

  constructor(access: KubeAccess) {
    this.access = access;
  }

  /** From now on sends nothing that is refused: the last word on what this process asks of the cluster. */
  restrict(refusal: RequestRefusal): void {
    this.refusal = refusal;
  }

  /** Calls a path such as `/api/v1/namespaces` and answers the parsed body. Throws KubeError. */
  async call<T = KubeObject>(path: string, options: CallOptions = {}): Promise<T> {
    return (await this.send<T>(path, options)).body;
  }

  /** As `call`; undefined when the answer is 404. */
  async find<T = KubeObject>(path: string, options: CallOptions = {}): Promise<T | undefined> {
    try {
      return await this.call<T>(path, options);
    } catch (thrown) {
      if (thrown instanceof KubeError && thrown.notFound) return undefined;
      throw thrown;
    }
  }

  /** Server-side apply as FIELD_MANAGER, forced. `path` is the object's own. */
  async apply(path: string, object: object, options: ApplyOptions = {}): Promise<Applied> {
    const { status, body } = await this.send<KubeObject>(path, {
      method: 'PATCH',
      query: { fieldManager: FIELD_MANAGER, force: true, dryRun: options.dryRun ? 'All' : undefined },
      body: object,
      contentType: 'application/apply-patch+yaml',
      impersonate: options.impersonate,
      signal: options.signal,
    });
    return { object: body, created: status === 201 };
  }

  /** Deletes with preconditions; false when the object was not there (or was another one by then). */
  async remove(path: string, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, resourceVersion, propagation = 'Background', impersonate, signal } = options;
    const preconditions = uid || resourceVersion ? { uid, resourceVersion } : undefined;
    try {
      await this.call(path, {
        method: 'DELETE',
        body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: propagation, preconditions },
        impersonate,
        signal,
      });
      return true;
    } catch (thrown) {
      if (thrown instanceof KubeError && thrown.notFound) return false;
      throw thrown;
    }
  }

  /** Opens an answer that goes on, such as a log; read it to its end or abort it. Throws KubeError when it is refused. */
  async openStream(
    path: string,
    { query = {}, signal, impersonate }: { query?: Query; signal: AbortSignal; impersonate?: string },
  ): Promise<Dispatcher.ResponseData<unknown>['body']> {
    this.check({ path, writes: false, account: impersonate });
    const { headers, agents } = await this.prepare();
    const response = await this.dispatch(path, query, {
      method: 'GET',
      headers: { ...headers, accept: '*/*', ...impersonation(impersonate) },
      dispatcher: agents.watches,
      signal,
      headersTimeout: 60_000,
      // A log may be silent for as long as it likes: who reads it has a deadline.
      bodyTimeout: 0,
    }).catch((thrown: unknown) => {
      signal.throwIfAborted();
      throw unreachable(thrown);
    });
    if (response.statusCode !== 200) throw await toError(response, path);
    return response.body;
  }

  /** Opens a watch; the body is lines of JSON. Throws KubeError when it is refused. */
  async openWatch(
    path: string,
    query: Query,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData<unknown>['body']> {
    const { headers, agents } = await this.prepare();
    const response = await this.dispatch(path, query, {
      method: 'GET',
      headers: { ...headers, accept: 'application/json' },
      dispatcher: agents.watches,
      signal,
      headersTimeout: 60_000,
      bodyTimeout: WATCH_IDLE_MS,
    });
    if (response.statusCode !== 200) throw await toError(response, path);
    return response.body;
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    const agents = this.agents;
    this.agents = undefined;
    await Promise.all([agents?.calls.destroy(), agents?.watches.destroy()]);
  }

  private check(request: Parameters<RequestRefusal>[0]): void {
    const message = this.refusal(request);
    if (message) throw new KubeError(403, { reason: 'NotSent', message }, message);
  }

  private async send<T>(path: string, options: CallOptions): Promise<{ status: number; body: T }> {
    const { method = 'GET', impersonate } = options;
    this.check({ path, writes: method !== 'GET', account: impersonate });
    const tries = options.tries ?? (options.method === 'POST' ? 1 : 5);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once<T>(path, options);
      } catch (thrown) {
        options.signal?.throwIfAborted();
        const error = thrown instanceof KubeError ? thrown : unreachable(thrown);
        // 429 means that nothing was done, so even a POST may be repeated.
        const mayRepeat = attempt < tries || (error.status === 429 && attempt < 5);
        if (!error.transient || !mayRepeat) throw error;
        const backoff = Math.min(100 * 2 ** attempt, 5_000) * (0.5 + Math.random());
        await sleep(Math.max(backoff, retryAfter(thrown)), undefined, { signal: options.signal });
      }
    }
  }

  private async once<T>(path: string, options: CallOptions): Promise<{ status: number; body: T }> {
    const { headers, agents } = await this.prepare();
    const { body, impersonate } = options;
    const timeout = AbortSignal.timeout(options.timeout ?? 60_000);
    const response = await this.dispatch(path, options.query ?? {}, {
      method: options.method ?? 'GET',
      headers: {
        ...headers,
        accept: options.accept ?? 'application/json',
        ...(body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
        ...impersonation(impersonate),
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
      dispatcher: agents.calls,
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
    if (response.statusCode >= 300) throw await toError(response, path, impersonate);
    const text = await readBounded(response.body, options.maxBytes ?? MAX_BYTES, path);
    return { status: response.statusCode, body: parseJson(text, path) as T };
  }

  private dispatch(path: string, query: Query, options: Parameters<typeof request>[1]) {
    const { server } = this.access;
    const url = new URL(server.pathname.replace(/\/$/, '') + path, server);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return request(url, options);
  }

  private async prepare() {
    const { headers, tls, tlsKey } = await this.access.credentials();
    if (this.agents?.tlsKey !== tlsKey) {
      const old = this.agents;
      const common = { connect: { ...tls, timeout: 10_000 }, pipelining: 1, keepAliveTimeout: 30_000 };
      this.agents = {
        tlsKey,
        calls: new Agent({ ...common, connections: MAX_CONNECTIONS }),
        watches: new Agent({ ...common, connections: null }),
      };
      // Requests under way finish on the old connections.
      old?.calls.close().catch(() => undefined);
    }
    return { headers: { ...headers, 'user-agent': 'muster-agent' }, agents: this.agents! };
  }
}

function impersonation(account: string | undefined): Record<string, string> {
  return account ? { 'impersonate-user': `system:serviceaccount:${account.replace('/', ':')}` } : {};
}

async function readBounded(body: AsyncIterable<Buffer>, maxBytes: number, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes)
      throw new KubeError(413, undefined, `the answer of ${path} is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString('utf8');
}

async function toError(
  response: Dispatcher.ResponseData<unknown>,
  path: string,
  impersonate?: string,
): Promise<KubeError> {
  const text = await readBounded(response.body, 1024 * 1024, path).catch(() => '');
  const status = parseStatus(text);
  if (response.statusCode === 403 && status?.message)
    status.message = explainForbidden(status.message, impersonate);
  const error = new KubeError(
    response.statusCode,
    status,
    `the API server answered ${response.statusCode} to ${path}`,
  );
  const seconds = Number(response.headers['retry-after'] ?? status?.details?.retryAfterSeconds ?? 0);
  if (seconds > 0) RETRY_AFTER.set(error, Math.min(seconds, 30) * 1_000);
  return error;
}

/** What JavaScript says of a text that is no JSON quotes it. */
function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KubeError(502, undefined, `the answer of ${path} is no JSON`);
  }
}

function parseStatus(text: string): KubeStatus | undefined {
  try {
    const parsed = JSON.parse(text) as KubeStatus & { kind?: string };
    return parsed.kind === 'Status' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

const RETRY_AFTER = new WeakMap<object, number>();
const retryAfter = (thrown: unknown) =>
  (typeof thrown === 'object' && thrown && RETRY_AFTER.get(thrown)) || 0;

/** A connection that failed or broke, or a try that took too long. */
function unreachable(thrown: unknown): KubeError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new KubeError(0, undefined, `the API server cannot be reached: ${message}`, thrown);
}
