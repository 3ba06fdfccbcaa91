import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { LRUCache } from 'lru-cache';
import type { SourceTree } from '../source-tree.ts';
import { type ArchiveTree, unpackArchive } from './archive-tree.ts';
import { BlobCache } from './blob-cache.ts';
import { type HelmIndex, HelmIndexes, type IndexEntry } from './helm-index.ts';
import {
  type OciManifest,
  MAX_ARCHIVE_BYTES,
  OciRegistry,
  altered,
  parseOciUrl,
  readManifest,
} from './oci-registry.ts';
import { type Pin, formatPin, nextPin, parsePin } from './pin.ts';
import { type RegistryAccess, RegistryHttp, digestOf } from './registry-http.ts';
import { parseVersion, pickVersion } from './versions.ts';

/** A repository of charts, or of one chart or artifact in a registry. */
export interface ChartRepository {
  kind: 'helm' | 'oci';
  /** `https://…` for Helm, `oci://…` for registries. */
  url: string;
  access: RegistryAccess;
  /** How another URL that an index names is read. */
  accessTo(url: string): Promise<RegistryAccess>;
}

/** A revision that is followed: `chart@range` in a Helm repository; a tag, range or digest in a registry. */
export interface FollowedChart {
  revision: string;
  /** What it is held at. */
  commit: string | null;
  /** The digest of an overwritten version that somebody accepted. */
  accepted: string | null;
  /** Held where it is, whatever newer versions there are. */
  held: boolean;
}

/** Where a revision points now. */
export interface ResolvedChart {
  pin: Pin;
  published: Date | undefined;
  message: string;
  /** What upstream has instead of what is held. */
  offered: Pin | undefined;
}

interface Found {
  pin: Pin;
  published: Date | undefined;
  message: string;
}

const TREE_CACHE_BYTES = 96 * 1024 * 1024;

/** Reads charts and artifacts: what their revisions point at, and their files by digest, fetched once a replica. */
export class ChartSources {
  readonly #indexes: HelmIndexes;
  readonly #blobs: BlobCache;
  readonly #trees = new LRUCache<string, ArchiveTree>({
    maxSize: TREE_CACHE_BYTES,
    sizeCalculation: ({ bytes }) => bytes + 4096,
  });
  readonly #unpacking = new Map<string, Promise<ArchiveTree>>();

  /** Archives live under `folder`, at most `cacheBytes` of them. */
  constructor(folder: string, cacheBytes: number) {
    this.#indexes = new HelmIndexes(join(folder, 'indexes'));
    this.#blobs = new BlobCache(join(folder, 'archives'), cacheBytes);
  }

  /** Throws in words when it cannot be read. */
  async check({ kind, url, access }: ChartRepository, signal?: AbortSignal): Promise<void> {
    if (kind === 'oci') await new OciRegistry(parseOciUrl(url), access, signal).check();
    else await this.#indexes.load(indexUrl(url), new RegistryHttp(access, signal), false);
  }

  /** Where each revision points. What was found is fetched and unpacked before it is answered: a pin can be rendered. */
  async resolve(
    repository: ChartRepository,
    followed: readonly FollowedChart[],
    signal: AbortSignal,
  ): Promise<Map<string, ResolvedChart | MusterError>> {
    const out = new Map<string, ResolvedChart | MusterError>();
    const find =
      repository.kind === 'oci'
        ? await this.#inRegistry(repository, followed, signal)
        : await this.#inIndex(repository, signal);
    for (const one of followed) {
      try {
        const before = one.commit === null ? undefined : parsePin(one.commit);
        const found = await find(one.revision);
        const held = one.held && before && one.accepted !== found.pin.digest;
        const next = held ? heldAt(before, found.pin) : nextPin(before, found.pin, one.accepted ?? undefined);
        if (next.pin.digest !== before?.digest) await this.#tree(repository, next.pin, signal);
        const offered = 'overwritten' in next ? next.overwritten : undefined;
        out.set(one.revision, { ...found, pin: next.pin, offered });
      } catch (thrown) {
        signal.throwIfAborted();
        out.set(one.revision, MusterError.from(thrown));
      }
    }
    return out;
  }

  /** The files of a pinned chart; fetched again when this replica does not have them. Throws `invalid` for no pin. */
  async tree(repository: ChartRepository, commit: string, signal?: AbortSignal): Promise<SourceTree> {
    return (await this.#tree(repository, pinOf(commit), signal)).tree;
  }

  /** The newest time among the files of a pinned chart: the digest decides it. */
  async modifiedAt(repository: ChartRepository, commit: string, signal?: AbortSignal): Promise<Date> {
    return (await this.#tree(repository, pinOf(commit), signal)).modifiedAt;
  }

  #tree(repository: ChartRepository, pin: Pin, signal?: AbortSignal): Promise<ArchiveTree> {
    const key = formatPin(pin);
    const known = this.#trees.get(key);
    if (known) return Promise.resolve(known);
    let unpacking = this.#unpacking.get(key);
    if (!unpacking) {
      unpacking = this.#unpack(repository, pin, key, signal).finally(() => this.#unpacking.delete(key));
      this.#unpacking.set(key, unpacking);
    }
    return unpacking;
  }

  async #unpack(
    repository: ChartRepository,
    pin: Pin,
    key: string,
    signal?: AbortSignal,
  ): Promise<ArchiveTree> {
    const { packed, isChart } =
      repository.kind === 'oci'
        ? await this.#fromRegistry(
            new OciRegistry(parseOciUrl(repository.url), repository.access, signal),
            repository.url,
            pin.digest,
          )
        : { packed: await this.#fromIndex(repository, pin, signal), isChart: true };
    const unpacked = await unpackArchive(packed, { pin: key, isChart });
    this.#trees.set(key, unpacked);
    return unpacked;
  }

  async #inRegistry(
    { url, access }: ChartRepository,
    followed: readonly FollowedChart[],
    signal: AbortSignal,
  ): Promise<(revision: string) => Promise<Found>> {
    const reference = parseOciUrl(url);
    const registry = new OciRegistry(reference, access, signal);
    const name = reference.path.split('/').at(-1)!;
    // Helm writes + as _, which tags may hold.
    const ranged = followed.some(({ revision }) => isRange(revision));
    const written = ranged ? await registry.tags() : [];
    const tags = written.map((tag) => tag.replaceAll('_', '+'));
    return async (revision) => {
      const byDigest = /^sha256:[0-9a-f]{64}$/.test(revision);
      const asWritten = !isRange(revision) || written.includes(revision);
      const version = byDigest ? '' : asWritten ? revision : pickVersion(revision, tags);
      if (version === undefined) throw noVersion(name, revision, tags);
      const digest = byDigest ? revision : await registry.digestOf(version.replaceAll('+', '_'));
      const { annotations } = await this.#manifest(registry, url, digest);
      const created = new Date(annotations['org.opencontainers.image.created'] ?? '');
      return {
        pin: { name, version, digest },
        published: Number.isNaN(created.getTime()) ? undefined : created,
        message: version === '' ? name : `${name} ${version}`,
      };
    };
  }

  async #manifest(registry: OciRegistry, url: string, digest: string): Promise<OciManifest> {
    const known = await this.#blobs.get(digest);
    if (known) return readManifest(known, url);
    const fetched = await registry.manifest(digest);
    await this.#blobs.put(digest, fetched.bytes);
    return fetched;
  }

  async #fromRegistry(
    registry: OciRegistry,
    url: string,
    digest: string,
  ): Promise<{ packed: Buffer; isChart: boolean }> {
    const { layer } = await this.#manifest(registry, url, digest);
    let packed = await this.#blobs.get(layer.digest);
    if (!packed) {
      packed = await registry.blob(layer);
      await this.#blobs.put(layer.digest, packed);
    }
    return { packed, isChart: layer.isChart };
  }

  async #inIndex(
    repository: ChartRepository,
    signal: AbortSignal,
  ): Promise<(revision: string) => Promise<Found>> {
    const http = new RegistryHttp(repository.access, signal);
    const index = await this.#indexes.load(indexUrl(repository.url), http, false);
    return async (revision) => {
      const at = revision.indexOf('@');
      const name = revision.slice(0, at);
      const entry = entryFor(index, name, revision.slice(at + 1));
      const digest = entry.digest ?? (await this.#undigested(repository, entry, signal));
      const message = `${name} ${entry.version}${entry.appVersion ? ` (app version ${entry.appVersion})` : ''}`;
      return { pin: { name, version: entry.version, digest }, published: entry.created, message };
    };
  }

  /** An index without digests: the archive says. */
  async #undigested(repository: ChartRepository, entry: IndexEntry, signal: AbortSignal): Promise<string> {
    const packed = await this.#download(repository, entry, undefined, signal);
    const digest = digestOf(packed);
    await this.#blobs.put(digest, packed);
    return digest;
  }

  async #fromIndex(repository: ChartRepository, pin: Pin, signal?: AbortSignal): Promise<Buffer> {
    const known = await this.#blobs.get(pin.digest);
    if (known) return known;
    const http = new RegistryHttp(repository.access, signal);
    const listed = (index: HelmIndex) =>
      index
        .versions(pin.name)
        ?.find(({ version, digest }) => version === pin.version && (!digest || digest === pin.digest));
    const at = indexUrl(repository.url);
    const entry =
      listed(await this.#indexes.load(at, http, true)) ?? listed(await this.#indexes.load(at, http, false));
    if (!entry) {
      throw new MusterError('unavailable', `${repository.url} does not have ${formatPin(pin)} any more`, {
        hint: 'it was removed or overwritten; publish it again, or take what is there with muster repo refresh URL --accept',
      });
    }
    const packed = await this.#download(repository, entry, pin.digest, signal);
    const found = digestOf(packed);
    if (found !== pin.digest) throw altered(`the archive of ${pin.name} ${pin.version}`, pin.digest, found);
    await this.#blobs.put(pin.digest, packed);
    return packed;
  }

  async #download(
    repository: ChartRepository,
    { name, version, urls }: IndexEntry,
    wanted: string | undefined,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    const [first] = urls;
    if (first === undefined)
      throw new MusterError('invalid', `the index names no URL for ${name} ${version}`, {
        where: repository.url,
      });
    if (first.startsWith('oci://')) return this.#elsewhere(repository, first, version, wanted, signal);
    const base = new URL(repository.url.endsWith('/') ? repository.url : `${repository.url}/`);
    const url = new URL(first, base);
    // A query of the repository's URL (a signature, a token) goes with it, as Helm does.
    if (url.origin === base.origin && url.search === '') url.search = base.search;
    if (!/^https?:$/.test(url.protocol))
      throw new MusterError('invalid', `charts are fetched by https, http and oci, not by ${url.protocol}//`);
    const own = url.origin === base.origin || repository.access.passCredentials;
    const http = new RegistryHttp(own ? repository.access : await repository.accessTo(url.href), signal);
    return (await http.ask(url, { authorization: http.authorization(), maxBytes: MAX_ARCHIVE_BYTES })).body;
  }

  /** The archive is in a registry that the index names. */
  async #elsewhere(
    repository: ChartRepository,
    url: string,
    version: string,
    wanted: string | undefined,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    const [, plain = url, tag = version] = /^(oci:\/\/[^/]+\/.*?)(?::([^:/]+))?$/.exec(url) ?? [];
    const registry = new OciRegistry(parseOciUrl(plain), await repository.accessTo(plain), signal);
    const digest = await registry.digestOf(tag.replaceAll('+', '_'));
    const { layer } = await this.#manifest(registry, plain, digest);
    if (wanted !== undefined && layer.digest !== wanted)
      throw altered(`the archive at ${url}`, wanted, layer.digest);
    return registry.blob(layer);
  }
}

function heldAt(before: Pin, found: Pin): { pin: Pin; overwritten?: Pin } {
  return before.digest === found.digest ? { pin: before } : { pin: before, overwritten: found };
}

function pinOf(commit: string): Pin {
  const pin = parsePin(commit);
  if (!pin) throw new MusterError('invalid', `${commit} is not the pin of a chart`);
  return pin;
}

/** A tag that is there as written wins over a range; what can only be a tag is not looked up in the list. */
function isRange(revision: string): boolean {
  return parseVersion(revision) === undefined
    ? /[*xX^~<>=|,]|\s-\s/.test(revision)
    : !/^v?\d+\.\d+\.\d+/.test(revision);
}

function entryFor(index: HelmIndex, name: string, range: string): IndexEntry {
  const entries = index.versions(name);
  if (!entries) {
    const like = index.names().filter((other) => other.includes(name) || name.includes(other));
    throw new MusterError('not-found', `the repository has no chart ${name}`, {
      ...(like.length > 0 ? { hint: `it has ${like.slice(0, 5).join(', ')}` } : {}),
    });
  }
  const versions = entries.map(({ version }) => version);
  const version = pickVersion(range, versions);
  const entry = entries.find((each) => each.version === version);
  if (!entry) throw noVersion(name, range, versions);
  return entry;
}

function noVersion(name: string, range: string, versions: readonly string[]): MusterError {
  const newest = pickVersion('', versions) ?? pickVersion('>=0.0.0-0', versions);
  const there = newest === undefined ? 'it has none' : `the highest is ${newest}`;
  return new MusterError('not-found', `${name} has no version ${range}`, {
    hint: `${there}; check targetRevision`,
  });
}

function indexUrl(url: string): URL {
  const parsed = new URL(url);
  parsed.pathname = `${parsed.pathname.replace(/\/+$/, '')}/index.yaml`;
  return parsed;
}
