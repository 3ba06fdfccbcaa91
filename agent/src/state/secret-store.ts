import { MusterError, sha256 } from '@muster/base';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/objects.ts';
import { compress, decompress } from './compression.ts';
import { type Store, type WriteOptions, checkName } from './store.ts';

interface SecretObject extends KubeObject {
  data?: Record<string, string>;
  immutable?: boolean;
}

const PREFIX = 'muster-state.';
const PART_PREFIX = 'muster-part.';
const LABEL = 'muster.dev/agent-state';
const TYPE = 'muster.dev/agent-state';
/** Compressed bytes one Secret holds; etcd refuses requests over 1.5 MiB, and base64 adds a third. */
const CHUNK = 900 * 1024;
/** Bytes of a record at most, before compression. */
const MAX_RECORD = 256 * 1024 * 1024;

/**
 * Keeps records as Secrets of one namespace, compressed. A record that does not fit one Secret is cut into
 * immutable parts named by digest, written before the Secret that lists them.
 */
export class SecretStore implements Store {
  private readonly client: KubeClient;
  private readonly namespace: string;
  private readonly collection: string;
  /** Parts of the records that this process has read or written, so that a write needs not ask first. */
  private readonly parts = new Map<string, string[]>();

  constructor(client: KubeClient, namespace: string) {
    this.client = client;
    this.namespace = namespace;
    this.collection = `/api/v1/namespaces/${namespace}/secrets`;
  }

  async read(name: string): Promise<Buffer | undefined> {
    checkName(name);
    const head = await this.client.find<SecretObject>(this.path(PREFIX + name));
    if (!head) return undefined;
    const parts = partsOf(head);
    this.parts.set(name, parts);
    if (parts.length === 0) return decompress(field(head, 'content'), MAX_RECORD);
    const chunks: Buffer[] = [];
    for (const part of parts) {
      const secret = await this.client.find<SecretObject>(this.path(PART_PREFIX + part));
      if (!secret)
        throw new MusterError('not-found', `a part of the record "${name}" is missing`, { where: part });
      chunks.push(field(secret, 'content'));
    }
    return decompress(Buffer.concat(chunks), MAX_RECORD);
  }

  async write(name: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
    checkName(name);
    const content = await compress(bytes);
    const immutable = options.immutable ?? false;
    const parts: string[] = [];
    if (content.length > CHUNK) {
      for (let start = 0; start < content.length; start += CHUNK) {
        const chunk = content.subarray(start, start + CHUNK);
        const part = sha256(chunk).slice(0, 40);
        parts.push(part);
        await this.put(PART_PREFIX + part, 'part', { content: chunk.toString('base64') }, true);
      }
    }
    const before = this.parts.get(name) ?? (await this.readParts(name));
    const data: Record<string, string> =
      parts.length > 0
        ? { parts: Buffer.from(parts.join(',')).toString('base64') }
        : { content: content.toString('base64') };
    await this.put(PREFIX + name, name, data, immutable);
    this.parts.set(name, parts);
    await this.removeParts(before.filter((part) => !parts.includes(part)));
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    const head = await this.client.find<SecretObject>(this.path(PREFIX + name));
    if (!head) return;
    await this.client.remove(this.path(PREFIX + name));
    this.parts.delete(name);
    await this.removeParts(partsOf(head));
  }

  async list(prefix: string): Promise<string[]> {
    const names: string[] = [];
    let next: string | undefined;
    do {
      const page = await this.client.call<{
        metadata: { continue?: string };
        items: { metadata: { name: string } }[];
      }>(this.collection, {
        query: { labelSelector: `${LABEL}=true`, limit: 500, continue: next },
        // Names are enough: the content of Secrets need not travel.
        accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json',
      });
      for (const { metadata } of page.items) {
        if (metadata.name.startsWith(PREFIX + prefix)) names.push(metadata.name.slice(PREFIX.length));
      }
      next = page.metadata.continue || undefined;
    } while (next);
    return names.sort();
  }

  private async readParts(name: string): Promise<string[]> {
    const head = await this.client.find<SecretObject>(this.path(PREFIX + name));
    return head ? partsOf(head) : [];
  }

  private async put(secretName: string, record: string, data: Record<string, string>, immutable: boolean) {
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: TYPE,
      metadata: {
        name: secretName,
        namespace: this.namespace,
        labels: { [LABEL]: 'true', 'app.kubernetes.io/managed-by': 'muster-agent' },
        annotations: { 'muster.dev/record': record },
      },
      data,
      ...(immutable ? { immutable: true } : {}),
    };
    try {
      await this.client.call(this.path(secretName), { method: 'PUT', body });
      return;
    } catch (thrown) {
      // An immutable record is there already: its name is its digest, so its content is the same.
      if (immutable && thrown instanceof KubeError && (thrown.status === 422 || thrown.status === 403)) {
        const there = await this.client.find<SecretObject>(this.path(secretName));
        if (there?.immutable) return;
      }
      if (!(thrown instanceof KubeError) || !thrown.notFound) throw thrown;
    }
    try {
      await this.client.call(this.collection, { method: 'POST', body });
    } catch (thrown) {
      // A try that was answered too late may have made it.
      if (!(thrown instanceof KubeError) || (thrown.status !== 409 && !thrown.transient)) throw thrown;
      await this.client.call(this.path(secretName), { method: 'PUT', body });
    }
  }

  /** Parts are shared by content; those that another record still lists stay. */
  private async removeParts(parts: string[]): Promise<void> {
    if (parts.length === 0) return;
    const used = new Set<string>();
    for (const name of await this.list('')) {
      const head = await this.client.find<SecretObject>(this.path(PREFIX + name));
      for (const part of head ? partsOf(head) : []) used.add(part);
    }
    for (const part of parts) if (!used.has(part)) await this.client.remove(this.path(PART_PREFIX + part));
  }

  private path(secretName: string): string {
    return `${this.collection}/${secretName}`;
  }
}

function field(secret: SecretObject, name: string): Buffer {
  return Buffer.from(secret.data?.[name] ?? '', 'base64');
}

function partsOf(secret: SecretObject): string[] {
  const text = field(secret, 'parts').toString('utf8');
  return text === '' ? [] : text.split(',');
}
