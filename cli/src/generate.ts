import { readFile } from 'node:fs/promises';
import {
  type Application,
  type ApplicationSet,
  type ClusterFacts,
  expand,
  type RepoContents,
  type TemplateEngines,
} from '@muster/appset';
import { type Json, MusterError, parseDocuments } from '@muster/base';
import { readDocuments } from './documents.ts';
import { UsageError } from './exit.ts';
import { folderTree } from './folder-tree.ts';
import type { Context } from './host.ts';

export interface GenerateOptions {
  filename: string[];
  clusters?: string;
  /** `URL=DIR` */
  repo?: string[];
}

/**
 * What ApplicationSets expand to, sorted by name; nothing but the given files is read.
 * @throws MusterError of the first set that fails, with its file and field.
 */
export async function generate(context: Context, options: GenerateOptions): Promise<Application[]> {
  const { terminal, signal } = context;
  const documents = await readDocuments(options.filename, { terminal });
  const sets = documents.filter(({ value }) => value['kind'] === 'ApplicationSet');
  if (sets.length === 0) throw new MusterError('invalid', 'no ApplicationSet among the documents');
  const clusters = options.clusters ? await readClusters(options.clusters) : [];
  const repos = foldersAsRepositories(options.repo ?? []);
  const { engines, close } = lazyEngines(context);
  try {
    const all: Application[] = [];
    for (const { value, where } of sets) {
      const applicationSet = value as unknown as ApplicationSet;
      const expansion = await expand({ applicationSet, clusters, repos }, engines, signal).catch(
        (thrown: unknown) => {
          const error = MusterError.from(thrown);
          const at = error.where ? `${where}: ${error.where}` : where;
          throw new MusterError(error.code, error.message, { where: at, hint: error.hint, cause: error });
        },
      );
      all.push(...expansion.applications);
      for (const [name, problem] of Object.entries(expansion.validationErrors)) {
        terminal.note(`warning: ${where}: Application ${name}: ${problem}`);
      }
    }
    return sortedByName(all);
  } finally {
    await close();
  }
}

/** By name, then by content, so that equal input prints equal text. */
function sortedByName(applications: Application[]): Application[] {
  const keyed = applications.map((each) => [`${each.metadata.name}\0${JSON.stringify(each)}`, each] as const);
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, each]) => each);
}

async function readClusters(file: string): Promise<ClusterFacts[]> {
  const source = await readFile(file).catch((thrown: Error) => {
    throw new MusterError('invalid', thrown.message, { where: file });
  });
  const values = parseDocuments(source, { file }).map(({ value }) => value);
  const list = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
  return list.map((item, i) => clusterOf(item, `${file}: [${i}]`));
}

function clusterOf(item: Json, where: string): ClusterFacts {
  const cluster = item as unknown as Partial<ClusterFacts> | null;
  if (typeof cluster?.name !== 'string' || typeof cluster.server !== 'string') {
    throw new MusterError('invalid', 'a cluster needs a name and a server', { where });
  }
  for (const field of ['labels', 'annotations'] as const) {
    for (const [key, value] of Object.entries(cluster[field] ?? {})) {
      if (typeof value === 'string') continue;
      throw new MusterError('invalid', `${field}.${key} must be a string (put it in quotes)`, { where });
    }
  }
  return cluster as ClusterFacts;
}

/** Folders for repositories, at any revision. */
function foldersAsRepositories(pairs: string[]): RepoContents {
  const folders = new Map(pairs.map(parsePair));
  const plain = (url: string) => url.replace(/\/+$/, '').replace(/\.git$/, '');
  return {
    tree(repoURL) {
      const exact = folders.get(repoURL);
      const folder = exact ?? [...folders].find(([url]) => plain(url) === plain(repoURL))?.[1];
      if (folder === undefined) {
        throw new MusterError('not-found', `repository ${repoURL} was not given a folder`, {
          hint: `--repo ${repoURL}=DIR`,
        });
      }
      return folderTree(folder);
    },
  };
}

/** The last `=` parts them: URLs may hold one. */
function parsePair(pair: string): [url: string, dir: string] {
  const at = pair.lastIndexOf('=');
  if (at < 1 || at === pair.length - 1) throw new UsageError(`--repo ${pair} is not URL=DIR`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** Starts the renderer when a set asks for Go templates or YAML: others need not wait for it. */
function lazyEngines({ environment, terminal }: Context): {
  engines: TemplateEngines;
  close: () => Promise<void>;
} {
  const start = async () => {
    const { loadRenderer, TemplateEngine } = await import('@muster/renderer');
    const renderer = await loadRenderer({
      memoryMb: 256,
      log: (line) => terminal.note(line),
      ...(environment.rendererWasm && { wasmPath: environment.rendererWasm }),
    });
    return new TemplateEngine(renderer);
  };
  let engine: ReturnType<typeof start> | undefined;
  const started = () => (engine ??= start());
  return {
    engines: {
      goTemplate: { render: async (...args) => (await started()).goTemplate.render(...args) },
      yaml: { toJson: async (...args) => (await started()).yaml.toJson(...args) },
    },
    close: async () => (await engine?.catch(() => undefined))?.close(),
  };
}
