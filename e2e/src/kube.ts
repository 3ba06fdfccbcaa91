import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { parse, parseAllDocuments } from 'yaml';

/** Any Kubernetes object; `spec`, `status` and the rest are read as the test expects them. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  // Tests assert on fields of many kinds; a type for each would say no more than the assertion does.
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  [field: string]: any;
}

/** How a client reaches and convinces an API server; PEM texts. */
export interface KubeAccess {
  server: string;
  ca: string;
  cert?: string;
  key?: string;
  token?: string;
}

/** The API server's refusal. */
export class KubeError extends Error {
  /** HTTP status: 403 is what RBAC says. */
  readonly status: number;
  /** The Status object's reason, such as `NotFound`. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = 'KubeError';
    this.status = status;
    this.reason = reason;
  }
}

export interface PatchOptions {
  type?: 'merge' | 'json' | 'strategic' | 'apply';
  subresource?: string;
  fieldManager?: string;
  force?: boolean;
  dryRun?: boolean;
}

export interface ApplyOptions {
  /** `e2e` unless told. */
  fieldManager?: string;
  /** Takes fields over from other managers; true unless told. */
  force?: boolean;
  /** For objects that name none and are of a namespaced kind; `default` unless told. */
  namespace?: string;
}

interface Resource {
  name: string;
  kind: string;
  namespaced: boolean;
}

/**
 * A small client for tests. A type is `group/version/Kind` or `v1/Kind`; a name is `namespace/name`,
 * or `name` for what has no namespace. Every refusal throws a KubeError.
 */
export class KubeClient {
  readonly access: KubeAccess;
  readonly #agent: Agent;
  readonly #resources = new Map<string, Resource[]>();

  constructor(access: KubeAccess) {
    this.access = access;
    const { ca, cert, key } = access;
    this.#agent = new Agent({ connect: { ca, cert, key }, keepAliveTimeout: 4_000, connections: 32 });
  }

  /** A client of a kubeconfig's current (or named) context, with client certificate or token in it. */
  static fromKubeconfig(path: string, context?: string): KubeClient {
    const config = parse(readFileSync(path, 'utf8'));
    const named = (list: { name: string }[], name: string) =>
      list.find((entry) => entry.name === name) as never;
    const chosen = (
      named(config.contexts, context ?? config['current-context']) as {
        context: { cluster: string; user: string };
      }
    ).context;
    const { cluster } = named(config.clusters, chosen.cluster) as { cluster: Record<string, string> };
    const { user } = named(config.users, chosen.user) as { user: Record<string, string> };
    const pem = (value?: string) => (value ? Buffer.from(value, 'base64').toString() : undefined);
    return new KubeClient({
      server: cluster.server!,
      ca: pem(cluster['certificate-authority-data']) ?? '',
      cert: pem(user['client-certificate-data']),
      key: pem(user['client-key-data']),
      token: user.token,
    });
  }

  /** The same server with a bearer token in place of the client's certificate. */
  withToken(token: string): KubeClient {
    return new KubeClient({ server: this.access.server, ca: this.access.ca, token });
  }

  /** The object; a KubeError with status 404 when there is none. */
  async get(type: string, name: string): Promise<KubeObject> {
    return (await this.raw('GET', await this.#path(type, name))) as KubeObject;
  }

  /** The object, or undefined when there is none (or its kind is not known). */
  async find(type: string, name: string): Promise<KubeObject | undefined> {
    try {
      return await this.get(type, name);
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** The objects of a namespace, or of all. */
  async list(
    type: string,
    namespace?: string,
    { labelSelector, fieldSelector }: { labelSelector?: string; fieldSelector?: string } = {},
  ): Promise<KubeObject[]> {
    const query = { labelSelector, fieldSelector };
    const answer = (await this.raw('GET', await this.#collection(type, namespace), { query })) as {
      items: KubeObject[];
    };
    return answer.items;
  }

  async create(object: KubeObject): Promise<KubeObject> {
    const path = await this.#collection(typeOf(object), object.metadata.namespace);
    return (await this.raw('POST', path, { body: object })) as KubeObject;
  }

  /** Server-side apply of objects, or of YAML text with any number of them, in the given order. */
  async apply(what: string | KubeObject | KubeObject[], options: ApplyOptions = {}): Promise<KubeObject[]> {
    const { fieldManager = 'e2e', force = true, namespace = 'default' } = options;
    const applied: KubeObject[] = [];
    for (const object of objectsOf(what)) {
      const { namespaced } = await this.#resource(typeOf(object));
      const { name } = object.metadata;
      const full = namespaced ? `${object.metadata.namespace ?? namespace}/${name}` : name;
      applied.push(await this.patch(typeOf(object), full, object, { type: 'apply', fieldManager, force }));
    }
    return applied;
  }

  /** One object as it is, and after each change, until the server ends the watch. Deletions are passed over. */
  async *watch(
    type: string,
    { namespace, name }: { namespace?: string; name: string },
    signal?: AbortSignal,
  ): AsyncGenerator<KubeObject> {
    const url = new URL(await this.#collection(type, namespace), this.access.server);
    url.search = new URLSearchParams({ watch: 'true', fieldSelector: `metadata.name=${name}` }).toString();
    const { token } = this.access;
    const answer = await request(url, {
      dispatcher: this.#agent,
      signal,
      bodyTimeout: 0,
      headers: { accept: 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    });
    if (answer.statusCode >= 400)
      throw new KubeError(answer.statusCode, '', `watching ${name}: ${await answer.body.text()}`);
    let rest = '';
    for await (const chunk of answer.body) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const event = JSON.parse(line) as { type: string; object: KubeObject };
        if (event.type === 'ADDED' || event.type === 'MODIFIED') yield event.object;
        if (event.type === 'ERROR') throw new KubeError(410, '', `watching ${name}: ${line}`);
      }
    }
  }

  /** A merge patch unless told otherwise. */
  async patch(type: string, name: string, body: unknown, options: PatchOptions = {}): Promise<KubeObject> {
    const { type: how = 'merge', subresource, fieldManager, force, dryRun } = options;
    const contentType =
      how === 'apply'
        ? 'application/apply-patch+yaml'
        : `application/${how === 'strategic' ? 'strategic-merge' : how === 'merge' ? 'merge' : 'json'}-patch+json`;
    const path = (await this.#path(type, name)) + (subresource ? `/${subresource}` : '');
    const query = {
      fieldManager,
      force: how === 'apply' && force ? 'true' : undefined,
      dryRun: dryRun ? 'All' : undefined,
    };
    return (await this.raw('PATCH', path, { body, contentType, query })) as KubeObject;
  }

  /** Sets `spec.replicas` as `kubectl scale` does. */
  async scale(type: string, name: string, replicas: number): Promise<void> {
    await this.patch(type, name, { spec: { replicas } }, { subresource: 'scale', fieldManager: 'kubectl' });
  }

  /** Deletes; answers false when there was nothing. It does not wait for finalizers. */
  async delete(
    type: string,
    name: string,
    propagation: 'Background' | 'Foreground' | 'Orphan' = 'Background',
  ): Promise<boolean> {
    try {
      await this.raw('DELETE', await this.#path(type, name), { body: { propagationPolicy: propagation } });
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return false;
      throw error;
    }
  }

  /** A token of a ServiceAccount (`namespace/name`), from the TokenRequest API. */
  async createToken(serviceAccount: string, seconds = 3_600): Promise<string> {
    const path = `${await this.#path('v1/ServiceAccount', serviceAccount)}/token`;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: seconds },
    };
    return ((await this.raw('POST', path, { body })) as { status: { token: string } }).status.token;
  }

  /** Any request; the parsed answer, or text where it is not JSON. */
  async raw(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    {
      body,
      query = {},
      contentType = 'application/json',
      signal,
    }: {
      body?: unknown;
      query?: Record<string, string | undefined>;
      contentType?: string;
      signal?: AbortSignal;
    } = {},
  ): Promise<unknown> {
    const url = new URL(path, this.access.server);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, value);
    const { token } = this.access;
    const answer = await request(url, {
      method,
      dispatcher: this.#agent,
      signal,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.body.text();
    const json = String(answer.headers['content-type']).startsWith('application/json');
    const value = json ? JSON.parse(text) : text;
    if (answer.statusCode < 400) return value;
    throw new KubeError(
      answer.statusCode,
      value?.reason ?? '',
      value?.message ?? `${method} ${url.pathname}: ${answer.statusCode} ${text}`,
    );
  }

  /** Closes its connections. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #path(type: string, name: string): Promise<string> {
    const [namespace, plain] = name.includes('/') ? (name.split('/') as [string, string]) : [undefined, name];
    return `${await this.#collection(type, namespace)}/${plain}`;
  }

  async #collection(type: string, namespace?: string): Promise<string> {
    const { name } = await this.#resource(type);
    return `${groupPath(type)}${namespace ? `/namespaces/${namespace}` : ''}/${name}`;
  }

  /** From discovery; asked again when a kind is not there, since its CRD may be new. */
  async #resource(type: string): Promise<Resource> {
    const path = groupPath(type);
    const kind = type.slice(type.lastIndexOf('/') + 1);
    const known = () =>
      this.#resources.get(path)?.find((entry) => entry.kind === kind && !entry.name.includes('/'));
    if (!known())
      this.#resources.set(path, ((await this.raw('GET', path)) as { resources: Resource[] }).resources);
    const resource = known();
    if (!resource) throw new KubeError(404, 'NotFound', `the server has no kind ${type}`);
    return resource;
  }
}

/** The status (`True`, `False`, `Unknown`) of a condition of an object; undefined when it has none of the type. */
export function conditionStatus(object: KubeObject, type: string): string | undefined {
  const conditions: { type: string; status: string }[] = object.status?.conditions ?? [];
  return conditions.find((condition) => condition.type === type)?.status;
}

function typeOf(object: KubeObject): string {
  return `${object.apiVersion}/${object.kind}`;
}

function groupPath(type: string): string {
  const version = type.slice(0, type.lastIndexOf('/'));
  return version.includes('/') ? `/apis/${version}` : `/api/${version}`;
}

function objectsOf(what: string | KubeObject | KubeObject[]): KubeObject[] {
  if (typeof what !== 'string') return Array.isArray(what) ? what : [what];
  return parseAllDocuments(what)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}
