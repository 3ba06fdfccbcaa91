import { readFile, stat } from 'node:fs/promises';
import type { ClusterFacts } from '@muster/appset';
import { type Json, MusterError, parseDocuments } from '@muster/base';
import type { Document } from './documents.ts';
import type { Terminal } from './terminal.ts';

/** The clusters of a file: one YAML list, or one document each. @throws MusterError naming the entry. */
export async function readClusters(file: string): Promise<ClusterFacts[]> {
  return (await readList(file)).map((item, i) => clusterOf(item, `${file}: [${i}]`));
}

/**
 * The names of the projects that exist: those given by hand or by file, and the AppProjects among the documents.
 * Undefined when nobody says: every project exists then. `default` exists wherever AppProjects come as documents.
 */
export async function projectNames(
  given: string | undefined,
  documents: readonly Document[],
  terminal: Terminal,
): Promise<string[] | undefined> {
  const written = documents.flatMap(({ value, where }) =>
    value['kind'] === 'AppProject' ? ['default', projectName(value as Json, where)] : [],
  );
  if (given === undefined) return written.length > 0 ? written : undefined;
  if (given === '-') return [...written, ...namesOf(valuesOf(await terminal.stdin(), '<stdin>'), '<stdin>')];
  const isFile = await stat(given).then(
    (info) => info.isFile(),
    () => false,
  );
  if (!isFile && /[/\\]|\.(ya?ml|json)$/i.test(given)) {
    throw new MusterError('invalid', 'no such file', { where: given });
  }
  const names = isFile
    ? namesOf(await readList(given), given)
    : given
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean);
  return [...written, ...names];
}

function namesOf(items: readonly Json[], file: string): string[] {
  return items.map((item, i) => projectName(item, `${file}: [${i}]`));
}

/** A name, or an AppProject. */
function projectName(item: Json, where: string): string {
  if (typeof item === 'string' && item !== '') return item;
  const name = (item as { metadata?: { name?: unknown } } | null)?.metadata?.name;
  if (typeof name === 'string' && name !== '') return name;
  throw new MusterError('invalid', 'a project is a name or an AppProject with one', { where });
}

async function readList(file: string): Promise<Json[]> {
  const source = await readFile(file).catch((thrown: Error) => {
    throw new MusterError('invalid', thrown.message, { where: file });
  });
  return valuesOf(source, file);
}

function valuesOf(source: string | Uint8Array, file: string): Json[] {
  const values = parseDocuments(source, { file }).map(({ value }) => value);
  return values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
}

function clusterOf(item: Json, where: string): ClusterFacts {
  const cluster = item as unknown as Partial<ClusterFacts> | null;
  if (typeof cluster?.name !== 'string' || typeof cluster.server !== 'string') {
    throw new MusterError('invalid', 'a cluster needs a name and a server', { where });
  }
  for (const field of ['project', 'namespace'] as const) {
    const value: unknown = cluster[field];
    if (value === undefined || value === null || typeof value === 'string') continue;
    throw new MusterError('invalid', `${field} must be a string (put it in quotes)`, { where });
  }
  for (const field of ['labels', 'annotations'] as const) {
    for (const [key, value] of Object.entries(cluster[field] ?? {})) {
      if (typeof value === 'string') continue;
      throw new MusterError('invalid', `${field}.${key} must be a string (put it in quotes)`, { where });
    }
  }
  return cluster as ClusterFacts;
}
