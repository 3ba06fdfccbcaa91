import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Json, MusterError, parseDocuments } from '@muster/base';
import type { Terminal } from './terminal.ts';

/** A document and where it was written. */
export interface Document {
  value: Record<string, unknown>;
  /** `file:line` */
  where: string;
}

interface ReadOptions {
  recursive?: boolean | undefined;
  /** Files without a document are no error: nothing is desired, or nothing is there. */
  mayBeEmpty?: boolean;
  terminal: Terminal;
}

/**
 * Reads every document of files, folders (`*.yaml`, `*.yml`, `*.json`, in name order) and `-`, standard input.
 * @throws MusterError with file and line for what is not a YAML map.
 */
export async function readDocuments(
  paths: readonly string[],
  { recursive = false, mayBeEmpty = false, terminal }: ReadOptions,
): Promise<Document[]> {
  const documents: Document[] = [];
  for (const path of paths) {
    if (path === '-') documents.push(...documentsOf(await terminal.stdin(), '<stdin>'));
    else {
      for (const file of await filesOf(path, recursive)) {
        documents.push(...documentsOf(await readFile(file), file));
      }
    }
  }
  if (documents.length === 0 && !mayBeEmpty)
    throw new MusterError('invalid', `no documents in ${paths.join(', ')}`);
  return documents;
}

async function filesOf(path: string, recursive: boolean): Promise<string[]> {
  const info = await stat(path).catch((thrown: NodeJS.ErrnoException) => {
    const reason = thrown.code === 'ENOENT' ? 'no such file or folder' : thrown.message;
    throw new MusterError('invalid', reason, { where: path });
  });
  if (!info.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive });
  return entries
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function documentsOf(source: string | Uint8Array, file: string): Document[] {
  return parseDocuments(source, { file }).flatMap(({ value, line }) => {
    const where = `${file}:${line}`;
    return membersOf(value).map((member) => {
      if (typeof member !== 'object' || member === null || Array.isArray(member))
        throw new MusterError('invalid', 'not a Kubernetes object', { where });
      return { value: member, where };
    });
  });
}

/** Several objects may be one document: a plain list, or what `kubectl get -o yaml` writes. */
function membersOf(value: Json): Json[] {
  if (Array.isArray(value)) return value;
  // Nothing between two lines of `---`.
  if (value === null) return [];
  if (typeof value !== 'object') return [value];
  const { kind, items } = value;
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : [value];
}

/** The hub counts documents, or names them; people look for a file and a line. */
export function locateProblem(error: MusterError, documents: readonly Document[]): MusterError {
  const located = (text: string) =>
    text
      .split('\n')
      .map((line) => locateLine(line, documents))
      .join('\n');
  const { where, message } = error;
  if (!where || where === 'documents') {
    return new MusterError(error.code, located(message), { hint: error.hint, cause: error });
  }
  return new MusterError(error.code, message, { where: located(where), hint: error.hint, cause: error });
}

function locateLine(line: string, documents: readonly Document[]): string {
  const counted = /^documents[.[](\d+)\]?(\.(?=\w))?/.exec(line);
  const document =
    documents[counted ? Number(counted[1]) : documents.findIndex((each) => isNamed(each, line))];
  if (!document) return line;
  if (!counted) return `${document.where}: ${line}`;
  return `${document.where}${counted[2] ? ': ' : ''}${line.slice(counted[0].length)}`;
}

/** Whether a line begins with the kind and name of a document. */
function isNamed({ value }: Document, line: string): boolean {
  const { name } = (value['metadata'] ?? {}) as { name?: unknown };
  const title = `${String(value['kind'])} ${String(name)}`;
  return line.startsWith(title) && !/^[\w.-]/.test(line.slice(title.length));
}
