import { MusterError, parseDocuments } from '@muster/base';
import { type KubeObject, MASK, redactText, secretValues } from '@muster/kube';

/** Keys whose values are secret in Helm values, parameters and generator elements … */
const LOOKS_SECRET = /passw|secret|token|credential|api[-_]?key|private[-_]?key/i;
/** … unless they name where a secret is, or how it is treated. */
const NAMES_ONE = /^existing|^use|(name|ref|key[-_]?in|pullsecrets?|ttl|path|file|type|enabled|length)$/i;
const MAX_TEXT = 1024 * 1024;

/** A file that took part in a render. */
export interface ReadFile {
  path: string;
  text: string;
}

/** Values under keys that look secret, in every form in which a message may quote them. */
export function lookingSecret(value: unknown): Set<string> {
  const found: string[] = [];
  const walk = (one: unknown, inside: boolean) => {
    if (Array.isArray(one)) for (const item of one) walk(item, inside);
    else if (typeof one === 'object' && one !== null) walkObject(one as Record<string, unknown>, inside);
    // A template says where a value comes from, not what it is.
    else if (inside && ((typeof one === 'string' && !one.includes('{{')) || typeof one === 'number'))
      found.push(String(one));
    else if (typeof one === 'string' && one.includes('@')) found.push(...passwordsInUrls(one));
  };
  const walkObject = (object: Record<string, unknown>, inside: boolean) => {
    // A parameter of Helm: its name is the key.
    if (typeof object.name === 'string' && 'value' in object && isSecretKey(object.name))
      walk(object.value, true);
    for (const [key, member] of Object.entries(object)) {
      walk(member, isSecretKey(key) || (inside && !NAMES_ONE.test(key)));
      if (key !== 'values' || typeof member !== 'string') continue;
      const documents = readDocuments(member);
      if (documents) for (const text of documents) walk(text, false);
      // Nobody can tell what is secret in a text that cannot be read.
      else found.push(member);
    }
  };
  walk(value, false);
  return formsOf(found);
}

function isSecretKey(key: string): boolean {
  return LOOKS_SECRET.test(key) && !NAMES_ONE.test(key);
}

/** What ends in a Secret, or looks as if it did, of everything that a render read: also of files that cannot be read as YAML. */
export function secretsIn(request: unknown, files: readonly ReadFile[]): Set<string> {
  const found = lookingSecret(request);
  const add = (values: Iterable<string>) => {
    for (const value of values) found.add(value);
  };
  const values: unknown[] = [request];
  for (const { path, text } of files) {
    if (text.length > MAX_TEXT) continue;
    if (/kind["']?\s*:\s*["']?Secret\b/.test(text)) add(formsOf(writtenInData(text)));
    if (/\.env$|secret/i.test(path)) add(formsOf(environmentOf(text)));
    if (!/\.(ya?ml|json)$/.test(path) || text.includes('{{')) continue;
    // Most of what a large folder holds: objects that speak of no secret need no parsing.
    if (/^["'{\s]*kind["']?\s*:/m.test(text) && !LOOKS_SECRET.test(text)) continue;
    for (const document of documentsOf(text)) {
      add(secretValues([document as KubeObject]));
      add(formsOf(generatedSecrets(document)));
      if (!('kind' in document)) {
        values.push(document);
        add(lookingSecret(document));
      }
    }
  }
  for (const reference of files.flatMap(({ text }) => valuesInSecrets(text))) {
    add(formsOf(values.flatMap((one) => lookUp(one, reference))));
  }
  return found;
}

/** The error without these values; its cause goes too, because logs print it. */
export function withoutSecrets(thrown: unknown, secrets: ReadonlySet<string>): MusterError {
  const error = MusterError.from(thrown);
  const clean = (text: string | undefined) => (text === undefined ? undefined : redactText(text, secrets));
  const [message, where, hint] = [clean(error.message)!, clean(error.where), clean(error.hint)];
  const causes = error.cause instanceof Error ? error.cause.message : '';
  if (message === error.message && where === error.where && hint === error.hint && causes === clean(causes))
    return error;
  return new MusterError(error.code, message, {
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A copy of a JSON value whose strings and numbers hold none of these values. */
export function maskStrings<T>(value: T, secrets: ReadonlySet<string>): T {
  if (secrets.size === 0) return value;
  const mask = (one: unknown): unknown => {
    if (typeof one === 'string') return redactText(one, secrets);
    if (typeof one === 'number') return secrets.has(String(one)) ? MASK : one;
    if (Array.isArray(one)) return one.map(mask);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, member]) => [key, mask(member)]));
  };
  return mask(value) as T;
}

function formsOf(texts: Iterable<string>): Set<string> {
  const stringData = Object.fromEntries([...texts].map((text, i) => [String(i), text]));
  return secretValues([
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: '' }, stringData } as KubeObject,
  ]);
}

/** What stands for a user between `//` and `@`: a password, or a token that some servers take in place of a name. */
function passwordsInUrls(text: string): string[] {
  return [
    ...text.matchAll(
      /\b(https?|oci|ssh|git|redis|postgres(?:ql)?|amqps?):\/\/([^/@\s:{]*)(?::([^/@\s{]*))?@/g,
    ),
  ].flatMap(([, protocol = '', user = '', password]) => {
    if (password) return [password, decoded(password)];
    return protocol.startsWith('http') && user.length >= LIKE_A_TOKEN ? [user, decoded(user)] : [];
  });
}

/** Names of users are shorter. */
const LIKE_A_TOKEN = 20;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function documentsOf(text: string): Record<string, unknown>[] {
  return readDocuments(text) ?? [];
}

/** The maps of a YAML text; undefined for what is none. */
function readDocuments(text: string): Record<string, unknown>[] | undefined {
  try {
    return parseDocuments(text).flatMap(({ value }) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) ? [value] : [],
    );
  } catch {
    return undefined;
  }
}

/** The lines below `data:` and `stringData:`, without the key and a tag. */
function dataLines(text: string): string[] {
  const lines: string[] = [];
  let indent = -1;
  for (const line of text.split('\n')) {
    const start = /^(\s*(?:-\s+)?)["']?(?:data|stringData)["']?\s*:(.*)$/.exec(line);
    if (start) {
      indent = start[1]!.length;
      lines.push(start[2]!);
    } else if (line.trim() !== '' && indent >= 0) {
      if (line.search(/\S/) > indent || line.trimStart().startsWith('{{')) lines.push(line);
      else indent = -1;
    }
  }
  return lines;
}

/** What is written as data of a Secret, cut into every piece that a parser may quote. */
function writtenInData(text: string): string[] {
  return dataLines(text)
    .filter((line) => !line.includes('{{'))
    .flatMap((line) => {
      const value = line.replace(/^\s*["']?[-\w.]+["']?\s*:\s?/, '').replace(/^\s*!\S+\s+/, '');
      const pieces = value.trimStart().startsWith('{')
        ? value.split(/[{},]|:\s/).map((piece) => piece.trim().replace(/^!\S+\s+/, ''))
        : [value];
      return pieces.flatMap((piece) => [piece, piece.trim().replace(/^(["'])(.*?)\1?$/, '$2')]);
    });
}

/** `a.b` for each `.Values.a.b` that a template puts into the data of a Secret. */
function valuesInSecrets(text: string): string[][] {
  if (text.length > MAX_TEXT || !/kind["']?\s*:\s*["']?Secret\b/.test(text)) return [];
  return dataLines(text).flatMap((line) =>
    [...line.matchAll(/\.Values((?:\.\w+)+)/g)].map((match) => match[1]!.slice(1).split('.')),
  );
}

function lookUp(source: unknown, path: readonly string[]): string[] {
  const { values, valuesObject, parameters } = source as {
    values?: unknown;
    valuesObject?: unknown;
    parameters?: { name?: string; value?: string }[];
  };
  const roots = [source, valuesObject, ...(typeof values === 'string' ? documentsOf(values) : [])];
  const found = roots.map((root) =>
    path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined | null)?.[key], root),
  );
  const set = (Array.isArray(parameters) ? parameters : []).filter((one) => one?.name === path.join('.'));
  return [...found, ...set.map((one) => one.value)].filter(
    (one): one is string => typeof one === 'string' && one !== '',
  );
}

/** Literals of a kustomization's secretGenerator. */
function generatedSecrets(document: Record<string, unknown>): string[] {
  const generators = Array.isArray(document.secretGenerator) ? document.secretGenerator : [];
  return generators.flatMap((one: { literals?: unknown } | null) =>
    Array.isArray(one?.literals)
      ? one.literals.flatMap((literal) => [String(literal), String(literal).replace(/^[^=]*=/, '')])
      : [],
  );
}

function environmentOf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at > 0 ? [line.slice(at + 1)] : [];
  });
}
