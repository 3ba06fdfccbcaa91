import { type Event, EVENT_ID, SCALAR_STYLE, YAMLException, dump, getScalarValue } from 'js-yaml';
import { MusterError } from './errors.ts';
import type { Json } from './json.ts';
import { readEvents } from './yaml-events.ts';
import { TagMismatch, keyText, resolveScalar } from './yaml-scalar.ts';

/** Bounds and reading options of `parseDocuments`. */
export interface YamlOptions {
  /** Named in errors. */
  file?: string;
  /** Default 10 MiB. */
  maxBytes?: number;
  /** Documents that hold something; default unlimited (within maxNodes). */
  maxDocuments?: number;
  /** Nodes of all documents with aliases expanded, keys included; default 1,000,000. */
  maxNodes?: number;
  /** Default 100. */
  maxDepth?: number;
  /** Read y, Y, n and N as booleans, as sigs.k8s.io/yaml does (ApplicationSet files); default false: they are strings. */
  letterBooleans?: boolean;
}

/** One document: its JSON value and the line, counted from 1, on which its content starts. */
export interface YamlDocument {
  value: Json;
  line: number;
}

type Bounds = Required<Omit<YamlOptions, 'file'>> & { file: string };

/**
 * Reads a YAML (or JSON) stream as Kubernetes does; empty documents are left out. Throws MusterError `invalid`
 * (with `file:line`) for what is not YAML or has a key twice, `limit` beyond a bound. Integers beyond 2^53 lose
 * precision, as in any JSON of JavaScript.
 */
export function parseDocuments(source: string | Uint8Array, options: YamlOptions = {}): YamlDocument[] {
  const bounds: Bounds = {
    maxBytes: 10 * 1024 * 1024,
    maxDocuments: Number.POSITIVE_INFINITY,
    maxNodes: 1_000_000,
    maxDepth: 100,
    letterBooleans: false,
    ...definedOf(options),
    file: options.file ?? '',
  };
  const text = decode(source, bounds);
  try {
    const read = readEvents(text, bounds.maxDepth);
    return new Builder(read.text, read.events, bounds).documents();
  } catch (thrown) {
    if (thrown instanceof YAMLException) throw syntaxError(thrown, bounds);
    throw thrown;
  }
}

/** Reads exactly one document; an empty source is null. Errors as in `parseDocuments`. */
export function parseDocument(source: string | Uint8Array, options: YamlOptions = {}): Json {
  const documents = parseDocuments(source, options);
  if (documents.length > 1) {
    throw new MusterError('invalid', 'expected one YAML document, found more', {
      where: at(options.file ?? '', documents[1]!.line),
    });
  }
  return documents[0]?.value ?? null;
}

/** YAML text of a JSON value; strings that any YAML reader might take for something else are quoted. */
export function stringify(value: unknown): string {
  // Through JSON, so that undefined members vanish and dates are text.
  return dump(JSON.parse(JSON.stringify(value) ?? 'null'), { noRefs: true, lineWidth: -1 });
}

function definedOf(options: YamlOptions): Partial<YamlOptions> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function decode(source: string | Uint8Array, bounds: Bounds): string {
  const bytes = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength;
  if (bytes > bounds.maxBytes) {
    throw limit(`${bytes} bytes of YAML, more than the ${bounds.maxBytes} allowed`, bounds.file);
  }
  if (typeof source === 'string') return source;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(source);
  } catch {
    throw new MusterError('invalid', 'not UTF-8 text', bounds.file ? { where: bounds.file } : {});
  }
}

function syntaxError(thrown: YAMLException, bounds: Bounds): MusterError {
  const where = at(bounds.file, (thrown.mark?.line ?? 0) + 1);
  const reason = thrown.reason ?? 'not YAML';
  if (reason.includes('maxDepth')) return limit(`nested deeper than ${bounds.maxDepth} levels`, where);
  return new MusterError('invalid', `not valid YAML: ${reason}`, { where });
}

function at(file: string, line: number): string {
  return file ? `${file}:${line}` : `line ${line}`;
}

function limit(message: string, where: string): MusterError {
  return new MusterError('limit', message, where ? { where } : {});
}

/** A constructed node with what its aliases need: how many nodes it holds and how deep it is. */
interface Node {
  value: Json | bigint | number;
  nodes: number;
  height: number;
  kind: 'scalar' | 'mapping' | 'sequence';
  merge?: boolean;
}

/** Turns parser events into JSON values; one per stream. */
class Builder {
  private readonly text: string;
  private readonly events: Event[];
  private readonly bounds: Bounds;
  private next = 0;
  private nodes = 0;
  private counted = { offset: 0, line: 1 };
  private anchors = new Map<string, Node | undefined>();

  constructor(text: string, events: Event[], bounds: Bounds) {
    this.text = text;
    this.events = events;
    this.bounds = bounds;
  }

  documents(): YamlDocument[] {
    const documents: YamlDocument[] = [];
    while (this.next < this.events.length) {
      this.next++; // DOCUMENT
      this.anchors = new Map();
      const start = this.position();
      const node = this.node(1);
      this.next++; // POP
      if (node.value === null) continue;
      documents.push({ value: this.json(node, start), line: this.line(start) });
      if (documents.length > this.bounds.maxDocuments) {
        throw limit(
          `more than ${this.bounds.maxDocuments} documents`,
          at(this.bounds.file, this.line(start)),
        );
      }
    }
    return documents;
  }

  private node(depth: number): Node {
    const start = this.position();
    const event = this.events[this.next++]!;
    this.spend(1, start);
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        const node = this.scalar(event, start);
        this.anchor(event, node);
        return node;
      }
      case EVENT_ID.SEQUENCE: {
        this.anchor(event, undefined);
        const node = this.sequence(depth);
        this.anchor(event, node);
        return node;
      }
      case EVENT_ID.MAPPING: {
        this.anchor(event, undefined);
        const node = this.mapping(depth);
        this.anchor(event, node);
        return node;
      }
      case EVENT_ID.ALIAS:
        return this.alias(this.text.slice(event.anchorStart, event.anchorEnd), depth, start);
      default:
        throw this.invalid('unexpected end of a collection', start);
    }
  }

  private scalar(event: Extract<Event, { type: typeof EVENT_ID.SCALAR }>, start: number): Node {
    const text = getScalarValue(this.text, event);
    const plain = event.style === SCALAR_STYLE.PLAIN;
    const tag = event.tagStart < 0 ? undefined : tagName(this.text.slice(event.tagStart, event.tagEnd));
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED && !text.isWellFormed()) {
      throw this.invalid('half of a surrogate pair in a string', start);
    }
    try {
      const value = resolveScalar({ text, tag, plain }, this.bounds.letterBooleans);
      const merge = (text === '<<' && (plain ? tag === undefined : false)) || tag === 'merge';
      return { value: value as Node['value'], nodes: 1, height: 1, kind: 'scalar', merge };
    } catch (thrown) {
      if (thrown instanceof TagMismatch) throw this.invalid(thrown.message, start);
      throw thrown;
    }
  }

  private sequence(depth: number): Node {
    const items: Json[] = [];
    let height = 0;
    const before = this.nodes;
    while (this.events[this.next]!.type !== EVENT_ID.POP) {
      const start = this.position();
      const item = this.node(depth + 1);
      height = Math.max(height, item.height);
      items.push(this.json(item, start));
    }
    this.next++;
    return { value: items, nodes: this.nodes - before + 1, height: height + 1, kind: 'sequence' };
  }

  private mapping(depth: number): Node {
    const members: { [key: string]: Json } = {};
    const written = new Set<string>();
    let height = 0;
    const before = this.nodes;
    while (this.events[this.next]!.type !== EVENT_ID.POP) {
      const start = this.position();
      const key = this.node(depth + 1);
      if (key.kind !== 'scalar') throw this.invalid('a mapping key must be a scalar', start);
      const valueStart = this.position();
      const value = this.node(depth + 1);
      height = Math.max(height, value.height);
      if (key.merge) {
        this.merge(members, value, valueStart);
        continue;
      }
      const name = keyText(key.value as string);
      if (name === undefined) throw this.invalid(`\`${String(key.value)}\` cannot be a mapping key`, start);
      if (written.has(name)) throw this.invalid(`the key "${name}" is there twice`, start);
      written.add(name);
      assign(members, name, this.json(value, valueStart));
    }
    this.next++;
    return { value: members, nodes: this.nodes - before + 1, height: height + 1, kind: 'mapping' };
  }

  /** As go-yaml: what is merged later wins over what was written before, what is written later wins over the merge. */
  private merge(members: { [key: string]: Json }, source: Node, start: number): void {
    const sources =
      source.kind === 'sequence' ? [...(source.value as Json[])].reverse() : [source.value as Json];
    for (const value of sources) {
      if (value === null || typeof value !== 'object' || Array.isArray(value)) {
        throw this.invalid('a merge (<<) needs a mapping or a sequence of mappings', start);
      }
      const keys = Object.keys(value);
      this.spend(keys.length, start);
      for (const key of keys) assign(members, key, value[key]!);
    }
  }

  private alias(name: string, depth: number, start: number): Node {
    if (!this.anchors.has(name)) throw this.invalid(`unknown anchor "${name}"`, start);
    const node = this.anchors.get(name);
    if (!node) throw this.invalid(`the anchor "${name}" contains itself`, start);
    this.spend(node.nodes - 1, start);
    if (depth + node.height - 1 > this.bounds.maxDepth) {
      throw limit(
        `nested deeper than ${this.bounds.maxDepth} levels`,
        at(this.bounds.file, this.line(start)),
      );
    }
    // A copy: a change of one place must not change the other.
    return node.kind === 'scalar'
      ? { ...node, merge: false }
      : { ...node, value: structuredClone(node.value) };
  }

  private anchor(event: { anchorStart: number; anchorEnd: number }, node: Node | undefined): void {
    if (event.anchorStart >= 0) this.anchors.set(this.text.slice(event.anchorStart, event.anchorEnd), node);
  }

  private spend(nodes: number, start: number): void {
    this.nodes += nodes;
    if (this.nodes <= this.bounds.maxNodes) return;
    throw limit(
      `more than ${this.bounds.maxNodes} values once aliases are expanded`,
      at(this.bounds.file, this.line(start)),
    );
  }

  private json(node: Node, start: number): Json {
    if (typeof node.value === 'bigint') return Number(node.value);
    if (typeof node.value === 'number' && !Number.isFinite(node.value)) {
      throw this.invalid('infinity and NaN cannot be written as JSON', start);
    }
    return node.value as Json;
  }

  /** Offset of the next event that says where it is. */
  private position(): number {
    for (let index = this.next; index < this.events.length; index++) {
      const event = this.events[index]!;
      if (event.type === EVENT_ID.SCALAR && event.valueStart >= 0) return event.valueStart;
      if ('tagStart' in event && event.tagStart >= 0) return event.tagStart;
      if ('anchorStart' in event && event.anchorStart >= 0) return event.anchorStart;
      if ('start' in event) return event.start;
    }
    return this.text.length;
  }

  /** Counts on from the last answer: asked once a document, in order. */
  private line(offset: number): number {
    if (offset < this.counted.offset) this.counted = { offset: 0, line: 1 };
    let { line } = this.counted;
    let index = this.text.indexOf('\n', this.counted.offset);
    for (; index >= 0 && index < offset; index = this.text.indexOf('\n', index + 1)) line++;
    this.counted = { offset, line };
    return line;
  }

  private invalid(message: string, start: number): MusterError {
    return new MusterError('invalid', message, { where: at(this.bounds.file, this.line(start)) });
  }
}

function tagName(raw: string): string {
  if (raw === '!') return 'str';
  if (raw.startsWith('!!')) return raw.slice(2);
  const standard = '!<tag:yaml.org,2002:';
  return raw.startsWith(standard) ? raw.slice(standard.length, -1) : `!${raw}`;
}

/** `__proto__` is an ordinary key. */
function assign(target: { [key: string]: Json }, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
