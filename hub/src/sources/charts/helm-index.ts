import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Json, MusterError, parseDocument, sha256 } from '@muster/base';
import { type RegistryHttp } from './registry-http.ts';

/** A version of a chart as the index lists it. */
export interface IndexEntry {
  name: string;
  version: string;
  appVersion: string | undefined;
  /** `sha256:…` of the archive; undefined where the index has none. */
  digest: string | undefined;
  urls: string[];
  created: Date | undefined;
}

const MAX_INDEX_BYTES = 96 * 1024 * 1024;
const TIMEOUT_MS = 120_000;
/** An index that is not written chart by chart is read as a whole up to this size. */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;

/**
 * The index of a Helm repository. Charts are found by their lines and only those asked for are parsed, so that an index
 * of tens of megabytes costs what is read of it.
 */
export class HelmIndex {
  readonly #text: string;
  readonly #where: string;
  #lines: Map<string, string> | undefined;
  #whole: Record<string, Json> | undefined;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
  }

  names(): string[] {
    return [...(this.#byLines() ?? new Map(Object.entries(this.#all()))).keys()];
  }

  /** Versions of a chart in the order of the index; undefined when it lists no such chart. */
  versions(chart: string): IndexEntry[] | undefined {
    const lines = this.#byLines();
    const listed = lines ? this.#parsed(chart, lines.get(chart)) : this.#all()[chart];
    if (listed === undefined) return undefined;
    if (!Array.isArray(listed)) throw this.#wrong(`the entry ${chart} is not a list of versions`);
    return listed.flatMap((each) => entryOf(chart, each));
  }

  #parsed(chart: string, lines: string | undefined): Json | undefined {
    if (lines === undefined) return undefined;
    try {
      const value = parseDocument(lines, { maxBytes: MAX_WHOLE_BYTES });
      return value === null ? [] : (Object.values(value as Record<string, Json>)[0] ?? []);
    } catch (thrown) {
      throw this.#wrong(`the entry ${chart} cannot be read: ${MusterError.from(thrown).message}`);
    }
  }

  /** The lines of each chart; undefined for an index that is written another way (JSON, flow style). */
  #byLines(): Map<string, string> | undefined {
    if (this.#lines) return this.#lines;
    const start = /^entries:[ \t]*(#.*)?\r?$/m.exec(this.#text);
    if (!start) return undefined;
    const found = new Map<string, string>();
    let indent: string | undefined;
    let open: { name: string; from: number } | undefined;
    const close = (to: number) => {
      if (open) found.set(open.name, this.#text.slice(open.from, to));
      open = undefined;
    };
    let at = start.index + start[0].length + 1;
    while (at < this.#text.length) {
      const end = this.#text.indexOf('\n', at);
      const line = this.#text.slice(at, end < 0 ? undefined : end);
      const lead = /^ */.exec(line)![0];
      const content = line.slice(lead.length).trimEnd();
      const says = content !== '' && !content.startsWith('#');
      if (says && lead === '' && !content.startsWith('-')) break;
      if (says && (indent === undefined || lead.length <= indent.length) && !content.startsWith('-')) {
        const name = /^(?:"([^"]+)"|'([^']+)'|([^\s"'{[&*!|>][^:]*)):(\s+\[\])?$/.exec(content);
        if (!name || (indent !== undefined && lead !== indent)) return undefined;
        indent ??= lead;
        close(at);
        open = { name: (name[1] ?? name[2] ?? name[3])!, from: at };
      }
      if (end < 0) break;
      at = end + 1;
    }
    close(Math.min(at, this.#text.length));
    this.#lines = found;
    return found;
  }

  #all(): Record<string, Json> {
    if (this.#whole) return this.#whole;
    let value: Json;
    try {
      value = this.#text.trimStart().startsWith('{')
        ? (JSON.parse(this.#text) as Json)
        : parseDocument(this.#text, { maxBytes: MAX_WHOLE_BYTES });
    } catch (thrown) {
      throw this.#wrong(MusterError.from(thrown).message);
    }
    const entries = isObject(value) ? (value['entries'] ?? {}) : undefined;
    if (!isObject(entries)) throw this.#wrong('it has no entries: this is not a Helm repository');
    this.#whole = entries;
    return entries;
  }

  #wrong(message: string): MusterError {
    return new MusterError('invalid', `the index of the repository: ${message}`, { where: this.#where });
  }
}

function entryOf(name: string, each: Json): IndexEntry[] {
  if (!isObject(each)) return [];
  const { version, appVersion, digest, urls, created } = each;
  if (version === undefined || version === null || each['removed'] === true) return [];
  const time = typeof created === 'string' ? new Date(created) : undefined;
  const hash = typeof digest === 'string' ? digest.replace(/^sha256:/, '').toLowerCase() : '';
  return [
    {
      name,
      version: String(version),
      appVersion: appVersion === undefined || appVersion === null ? undefined : String(appVersion),
      digest: /^[0-9a-f]{64}$/.test(hash) ? `sha256:${hash}` : undefined,
      urls: Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [],
      created: time && !Number.isNaN(time.getTime()) ? time : undefined,
    },
  ];
}

function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Validators {
  etag?: string;
  lastModified?: string;
}

/** Indexes of Helm repositories on this replica's disk, asked for again only where they changed. */
export class HelmIndexes {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The index of the repository at `url`; `stored`: one that was read before will do. */
  async load(url: URL, http: RegistryHttp, stored: boolean): Promise<HelmIndex> {
    const path = join(this.#folder, sha256(url.href).slice(0, 32));
    const before = await readStored(path);
    const where = `${url.origin}${url.pathname}`;
    if (before && stored) return new HelmIndex(before.text, where);
    const answer = await http.ask(url, {
      headers: {
        'accept-encoding': 'gzip',
        ...(before?.validators.etag ? { 'if-none-match': before.validators.etag } : {}),
        ...(before?.validators.lastModified ? { 'if-modified-since': before.validators.lastModified } : {}),
      },
      authorization: http.authorization(),
      maxBytes: MAX_INDEX_BYTES,
      timeoutMs: TIMEOUT_MS,
      ...(before ? { expect: [304] } : {}),
    });
    if (answer.status === 304 && before) return new HelmIndex(before.text, where);
    const text = answer.body.toString('utf8');
    const index = new HelmIndex(text, where);
    index.names();
    const etag = answer.header('etag');
    const lastModified = answer.header('last-modified');
    await this.#store(path, text, { ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) });
    return index;
  }

  async #store(path: string, text: string, validators: Validators): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temporary = `${path}.${randomUUID()}.part`;
    try {
      await writeFile(temporary, `${JSON.stringify(validators)}\n${text}`);
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

async function readStored(path: string): Promise<{ validators: Validators; text: string } | undefined> {
  const content = await readFile(path, 'utf8').catch(() => undefined);
  if (content === undefined) return undefined;
  const end = content.indexOf('\n');
  try {
    return { validators: JSON.parse(content.slice(0, end)) as Validators, text: content.slice(end + 1) };
  } catch {
    return undefined;
  }
}
