import { MusterError } from '@muster/base';
import { z } from 'zod';
import { type Answer, type Question, type RegistryAccess, RegistryHttp, digestOf } from './registry-http.ts';

/** A repository of a registry: `host/path`. */
export interface OciReference {
  host: string;
  path: string;
}

const Descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'is no sha256 digest'),
  size: z.number().int().nonnegative(),
});
const Manifest = z.object({
  config: Descriptor.optional(),
  layers: z.array(Descriptor).optional(),
  manifests: z.array(z.unknown()).optional(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
const TagList = z.object({ tags: z.array(z.string()).nullish() });
const Token = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** The one layer of a manifest that holds files. */
export interface ContentLayer {
  digest: string;
  size: number;
  /** A Helm chart: one folder in a tar. */
  isChart: boolean;
}

export interface OciManifest {
  digest: string;
  bytes: Buffer;
  layer: ContentLayer;
  annotations: Record<string, string>;
}

const ACCEPT = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ');
const HELM_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_TAG_PAGES = 100;
const MAX_LAYERS = 10;
/** Largest archive that is fetched, bytes. */
export const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;

/** `oci://host/path` in its parts. Throws `invalid`. */
export function parseOciUrl(url: string): OciReference {
  const match = /^oci:\/\/([^/?#@\s]+)(?:\/([^?#@\s]*))?$/.exec(url);
  const path = (match?.[2] ?? '').replace(/\/+$/, '');
  if (!match || !/^([a-z0-9]+([._-]+[a-z0-9]+)*(\/|$))*$/.test(path)) {
    throw new MusterError('invalid', `not the URL of a registry repository: ${url}`, {
      hint: 'oci://HOST/PATH, the path in lower case',
    });
  }
  return { host: match[1]!.toLowerCase(), path };
}

/**
 * Pulls from one repository of a registry (OCI distribution specification 1.1), with basic and token authentication.
 * Everything is asked for by digest once it is known, and checked against it.
 */
export class OciRegistry {
  readonly #reference: OciReference;
  readonly #http: RegistryHttp;
  readonly #base: string;
  #authorization: string | undefined;

  constructor(reference: OciReference, access: RegistryAccess, signal?: AbortSignal) {
    this.#reference = reference;
    this.#http = new RegistryHttp(access, signal);
    const host = reference.host === 'docker.io' ? 'registry-1.docker.io' : reference.host;
    this.#base = `${access.plainHttp ? 'http' : 'https'}://${host}/v2/`;
  }

  /** Throws in words when the registry cannot be read with these credentials. */
  async check(): Promise<void> {
    await this.#ask('', { maxBytes: 64 * 1024, timeoutMs: 20_000 });
  }

  async tags(): Promise<string[]> {
    const tags: string[] = [];
    let next: string | undefined = `${this.#reference.path}/tags/list?n=1000`;
    for (let page = 0; next !== undefined; page++) {
      if (page === MAX_TAG_PAGES)
        throw new MusterError('limit', `${this.#name} has more than ${MAX_TAG_PAGES} pages of tags`);
      const answer: Answer = await this.#ask(next, { maxBytes: MAX_MANIFEST_BYTES });
      tags.push(...(parsed(answer.body, TagList, this.#name).tags ?? []));
      const link = /^<([^>]+)>;\s*rel="?next"?/.exec(answer.header('link') ?? '')?.[1];
      next = link && new URL(link, this.#base + this.#reference.path).href.replace(this.#base, '');
    }
    return tags;
  }

  /** The digest that a tag points at, without reading what is there. */
  async digestOf(tag: string): Promise<string> {
    const path = `${this.#reference.path}/manifests/${tag}`;
    const answer = await this.#ask(path, { method: 'HEAD', headers: { accept: ACCEPT }, maxBytes: 0 });
    const digest = answer.header('docker-content-digest');
    return digest && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : (await this.#fetchManifest(tag)).digest;
  }

  async manifest(digest: string): Promise<OciManifest> {
    const { bytes, digest: found } = await this.#fetchManifest(digest);
    if (found !== digest) throw altered(`the manifest of ${this.#name}`, digest, found);
    return readManifest(bytes, this.#name);
  }

  async blob({ digest, size }: ContentLayer): Promise<Buffer> {
    if (size > MAX_ARCHIVE_BYTES)
      throw new MusterError(
        'limit',
        `${this.#name}: an archive of ${size} bytes, more than the ${MAX_ARCHIVE_BYTES} allowed`,
      );
    const { body } = await this.#ask(`${this.#reference.path}/blobs/${digest}`, {
      maxBytes: MAX_ARCHIVE_BYTES,
    });
    const found = digestOf(body);
    if (found !== digest) throw altered(`the archive of ${this.#name}`, digest, found);
    return body;
  }

  get #name(): string {
    return `oci://${this.#reference.host}/${this.#reference.path}`;
  }

  async #fetchManifest(reference: string): Promise<{ bytes: Buffer; digest: string }> {
    const path = `${this.#reference.path}/manifests/${reference}`;
    const { body } = await this.#ask(path, { headers: { accept: ACCEPT }, maxBytes: MAX_MANIFEST_BYTES });
    return { bytes: body, digest: digestOf(body) };
  }

  async #ask(path: string, question: Question): Promise<Answer> {
    const url = new URL(path, this.#base);
    const first = await this.#http.ask(url, {
      ...question,
      authorization: this.#authorization,
      expect: [...(question.expect ?? []), 401],
      maxBytes: Math.max(question.maxBytes, 64 * 1024),
    });
    if (first.status !== 401) return first;
    this.#authorization = await this.#answerTo(first.header('www-authenticate') ?? '');
    return this.#http.ask(url, { ...question, authorization: this.#authorization });
  }

  /** The header that a challenge wants; undefined when there is nothing to answer with. */
  async #answerTo(challenge: string): Promise<string | undefined> {
    const own = this.#http.authorization();
    const basic = own?.startsWith('Bearer ')
      ? `Basic ${Buffer.from(`token:${own.slice('Bearer '.length)}`).toString('base64')}`
      : own;
    if (!/^bearer\s/i.test(challenge)) return basic;
    const parameters = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name!.toLowerCase(), value!]),
    );
    let realm: URL;
    try {
      realm = new URL(parameters.get('realm') ?? '');
    } catch {
      throw new MusterError('invalid', `${this.#name}: the registry names no place to get a token`);
    }
    const service = parameters.get('service');
    if (service) realm.searchParams.set('service', service);
    const scope =
      this.#reference.path === '' ? parameters.get('scope') : `repository:${this.#reference.path}:pull`;
    if (scope) realm.searchParams.set('scope', scope);
    const { body } = await this.#http.ask(realm, { authorization: basic, maxBytes: 256 * 1024 });
    const { token, access_token: access } = parsed(body, Token, this.#name);
    if (!token && !access) throw new MusterError('forbidden', `${this.#name}: the registry gives no token`);
    return `Bearer ${token || access}`;
  }
}

/** A manifest's content layer. Throws `unsupported` for what holds no files, or more than one set of them. */
export function readManifest(bytes: Buffer, where: string): OciManifest {
  const { layers = [], manifests, annotations } = parsed(bytes, Manifest, where);
  if (manifests)
    throw new MusterError('unsupported', `${where} is an index of several manifests, not an artifact`, {
      hint: 'name one of them by its digest',
    });
  if (layers.length > MAX_LAYERS)
    throw new MusterError(
      'limit',
      `${where} has ${layers.length} layers, more than the ${MAX_LAYERS} allowed`,
    );
  const charts = layers.filter(({ mediaType }) => mediaType === HELM_LAYER);
  const content =
    charts.length > 0 ? charts : layers.filter(({ mediaType }) => /[.+/]tar([+.]gzip)?$/.test(mediaType));
  const [layer] = content;
  if (!layer || content.length > 1) {
    const found = layers.map(({ mediaType }) => mediaType).join(', ') || 'none';
    throw new MusterError('unsupported', `${where} must have one layer that is a tar or tar+gzip`, {
      hint: `its layers: ${found}`,
    });
  }
  const { digest, size } = layer;
  return {
    digest: digestOf(bytes),
    bytes,
    layer: { digest, size, isChart: charts.length > 0 },
    annotations: annotations ?? {},
  };
}

function parsed<T>(bytes: Buffer, schema: z.ZodType<T>, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new MusterError('invalid', `${where}: the registry answers with something that is not JSON`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new MusterError(
    'invalid',
    `${where}: the registry answers in another shape: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

/** What was fetched is not what was asked for. */
export function altered(what: string, wanted: string, found: string): MusterError {
  return new MusterError('invalid', `${what} has the digest ${found} instead of ${wanted}`, {
    hint: 'it was changed on the way or where it is kept; nothing of it is used',
  });
}
