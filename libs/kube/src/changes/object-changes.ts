import { canonicalJson, stringify } from '@muster/base';
import { structuredPatch } from 'diff';
import { type KubeObject, identityOf } from '../object.ts';
import { redactText, secretValues } from '../redact.ts';
import { maskSides } from './mask-sides.ts';

/** What happens to one object; `text` is a unified diff of its canonical YAML without file names and line numbers. */
export interface ObjectChange {
  action: 'added' | 'changed' | 'removed';
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
  /** Lines that begin with `+`, `-` or a blank; hunks are apart by a line `@@`. */
  text: string;
  /** Lines of `text` that are added and removed. */
  added: number;
  removed: number;
}

const CONTEXT = 3;
/** Beyond so many edits one side stands whole under the other: nobody reads such a diff line by line. */
const MAX_EDITS = 4000;

/**
 * What is different between two renders, one entry for each object that is, in the order of their identities. Values of
 * Secrets, and wherever else they stand, are masked on both sides; that they differ is said all the same. `secrets` are
 * further texts to mask.
 */
export function objectChanges(
  before: readonly KubeObject[],
  after: readonly KubeObject[],
  secrets: Iterable<string> = [],
): ObjectChange[] {
  const masked = new Set([...secretValues(before), ...secretValues(after), ...secrets]);
  const old = byIdentity(before);
  const now = byIdentity(after);
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
  return keys.flatMap((key) => {
    const change = objectChange(old.get(key), now.get(key), masked);
    return change ? [change] : [];
  });
}

/** What is different between two versions of one object, or that it comes or goes; undefined: nothing is. */
export function objectChange(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
  secrets: ReadonlySet<string>,
): ObjectChange | undefined {
  const one = after ?? before;
  if (!one || (before && after && canonicalJson(before) === canonicalJson(after))) return undefined;
  const [old, now] = maskSides(before, after, secrets);
  const lines = changedLines(textOf(old, secrets), textOf(now, secrets));
  return {
    action: before ? (after ? 'changed' : 'removed') : 'added',
    apiVersion: one.apiVersion,
    kind: one.kind,
    namespace: one.metadata.namespace ?? '',
    name: one.metadata.name ?? '',
    ...lines,
  };
}

function byIdentity(objects: readonly KubeObject[]): Map<string, KubeObject> {
  return new Map(objects.map((object) => [identityOf(object), object]));
}

/** YAML with members where people look for them: type, metadata, then the others by name. */
function textOf(object: KubeObject | undefined, secrets: ReadonlySet<string>): string {
  if (!object) return '';
  const { apiVersion, kind, metadata, ...rest } = object;
  const { name, namespace, ...more } = metadata;
  const ordered = {
    apiVersion,
    kind,
    metadata: { name, namespace, ...inOrder(more) },
    ...(inOrder(rest) as object),
  };
  // Once more as text: what YAML joins, such as keys, was not seen string by string.
  return redactText(stringify(ordered), secrets);
}

function inOrder(value: unknown): Record<string, unknown> {
  return JSON.parse(canonicalJson(value)) as Record<string, unknown>;
}

function changedLines(before: string, after: string): Pick<ObjectChange, 'text' | 'added' | 'removed'> {
  // Only masked values differ, and stand where no side could be told: still a change.
  if (before === after) return { text: ' # masked values differ', added: 0, removed: 0 };
  const patch = structuredPatch('', '', before, after, '', '', {
    context: CONTEXT,
    maxEditLength: MAX_EDITS,
  });
  const hunks = patch
    ? patch.hunks.map((hunk) => hunk.lines.filter((line) => !line.startsWith('\\')))
    : [[...linesOf(before, '-'), ...linesOf(after, '+')]];
  const all = hunks.flat();
  return {
    text: hunks.map((lines) => lines.join('\n')).join('\n@@\n'),
    added: all.filter((line) => line.startsWith('+')).length,
    removed: all.filter((line) => line.startsWith('-')).length,
  };
}

function linesOf(text: string, sign: string): string[] {
  return text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => sign + line);
}
