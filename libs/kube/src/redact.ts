import { ANNOTATION } from './annotations.ts';
import { isRecord, type KubeObject } from './object.ts';

/** What stands where a secret value was. */
export const MASK = '••••••••';

/** Whether an object is a core Secret. */
export function isSecret(object: { apiVersion?: unknown; kind?: unknown }): boolean {
  return object.kind === 'Secret' && object.apiVersion === 'v1';
}

/**
 * A copy without secret values: `data` and `stringData` of Secrets keep their keys and lose their values, also in
 * lists and in last-applied annotations. Anything else is the same value.
 */
export function redact<Value>(value: Value): Value {
  if (!isRecord(value)) return value;
  const object: Record<string, unknown> = value;
  let copy: Record<string, unknown> = object;
  if (Array.isArray(object.items) && typeof object.kind === 'string' && object.kind.endsWith('List')) {
    const isSecretList = object.kind === 'SecretList' && object.apiVersion === 'v1';
    copy = { ...copy, items: object.items.map((item) => redact(isSecretList ? asSecret(item) : item)) };
  }
  if (isSecret(object)) copy = { ...copy, ...maskedFields(object) };
  const metadata = redactMetadata(copy.metadata);
  return (metadata === copy.metadata ? copy : { ...copy, metadata }) as Value;
}

/** Items of a typed list may leave out their type. */
function asSecret(item: unknown): unknown {
  return isRecord(item) ? { apiVersion: 'v1', kind: 'Secret', ...item } : item;
}

function maskedFields(object: Record<string, unknown>): Record<string, unknown> {
  const masked: Record<string, unknown> = {};
  for (const field of ['data', 'stringData'] as const) {
    const values = object[field];
    if (values === undefined || values === null) continue;
    masked[field] = isRecord(values)
      ? Object.fromEntries(Object.keys(values).map((key) => [key, MASK]))
      : MASK;
  }
  return masked;
}

function redactMetadata(metadata: unknown): unknown {
  if (!isRecord(metadata) || !isRecord(metadata.annotations)) return metadata;
  const applied = metadata.annotations[ANNOTATION.lastApplied];
  if (typeof applied !== 'string') return metadata;
  return {
    ...metadata,
    annotations: { ...metadata.annotations, [ANNOTATION.lastApplied]: redactJson(applied) },
  };
}

/** JSON text of an object, redacted; text that is no JSON is masked whole. */
function redactJson(text: string): string {
  try {
    return JSON.stringify(redact(JSON.parse(text) as unknown));
  } catch {
    return MASK;
  }
}

/** Values shorter than this are left in messages: masking `1` or `on` everywhere would hide the message and reveal the value. */
const SHORTEST_SECRET = 4;
const COMMON = new Set(['true', 'false', 'null', 'none', 'default']);

/**
 * The values of the Secrets among the objects, in the forms in which they may appear in a message: plain, base64,
 * escaped as JSON, single lines. For `redactText`.
 */
export function secretValues(objects: Iterable<KubeObject>): Set<string> {
  const values = new Set<string>();
  const add = (text: string) => {
    for (const form of [text, text.trim(), JSON.stringify(text).slice(1, -1), ...text.split('\n')]) {
      const line = form.trim();
      if (line.length >= SHORTEST_SECRET && !COMMON.has(line.toLowerCase())) values.add(line);
    }
  };
  for (const object of objects) {
    if (!isSecret(object)) continue;
    for (const text of stringsOf(object.stringData)) {
      add(text);
      add(Buffer.from(text).toString('base64'));
    }
    for (const text of stringsOf(object.data)) {
      add(text);
      add(Buffer.from(text, 'base64').toString('utf8'));
    }
  }
  return values;
}

function stringsOf(map: unknown): string[] {
  return isRecord(map)
    ? Object.values(map).filter((value): value is string => typeof value === 'string')
    : [];
}

/** The text with every known secret value masked, longer ones first. */
export function redactText(text: string, values: Iterable<string>): string {
  const found = [...values].filter((value) => text.includes(value)).sort((a, b) => b.length - a.length);
  return found.reduce((masked, value) => masked.replaceAll(value, MASK), text);
}
