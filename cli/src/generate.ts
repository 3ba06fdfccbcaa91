import {
  type Application,
  type ApplicationSet,
  expand,
  ExpansionError,
  type RepoContents,
  type TemplateEngines,
} from '@muster/appset';
import { MusterError } from '@muster/base';
import { type Document, readDocuments } from './documents.ts';
import { UsageError } from './exit.ts';
import { folderTree } from './folder-tree.ts';
import { filesAsPlugins, filesAsResources } from './generate-external.ts';
import { projectNames, readClusters } from './generate-inputs.ts';
import type { Context } from './host.ts';

export interface GenerateOptions {
  filename: string[];
  clusters?: string;
  /** `URL=DIR` */
  repo?: string[];
  /** Names with commas between them, or a file of names or AppProjects. */
  projects?: string;
  /** `NAME=FILE`: what a plugin answers. */
  plugin?: string[];
  /** ConfigMaps and resources of the clusterDecisionResource generator. */
  resources?: string[];
  /** Looks destinations up among the clusters given. */
  validateDestinations?: true;
}

/**
 * What ApplicationSets expand to, sorted by name; nothing but the given files is read.
 * @throws MusterError of the first set that fails: its file and field, its message led by the reference's reason.
 */
export async function generate(
  context: Context,
  options: GenerateOptions,
  { engines, close }: Engines = lazyEngines(context),
): Promise<Application[]> {
  const { terminal, signal } = context;
  const documents = await readDocuments(options.filename, { terminal });
  const sets = documents.filter(({ value }) => value['kind'] === 'ApplicationSet');
  if (sets.length === 0) throw new MusterError('invalid', 'no ApplicationSet among the documents');
  const input = {
    clusters: options.clusters ? await readClusters(options.clusters) : [],
    repos: foldersAsRepositories(options.repo ?? []),
    projects: await projectNames(options.projects, documents, terminal),
    plugins: filesAsPlugins(options.plugin ?? []),
    resources: await filesAsResources(options.resources ?? [], terminal),
    options: { validateDestinations: options.validateDestinations ?? false },
  };
  try {
    const all: Application[] = [];
    for (const { value, where } of sets) {
      const applicationSet = value as unknown as ApplicationSet;
      const { applications, validationErrors } = await expand(
        { ...input, applicationSet },
        engines,
        signal,
      ).catch((thrown: unknown) => {
        throw located(thrown, where);
      });
      all.push(...applications);
      for (const [name, problem] of Object.entries(validationErrors)) {
        terminal.note(`warning: ${where}: Application ${name}: ${problem}`);
      }
    }
    return sortedByName(all);
  } finally {
    await close();
  }
}

/** `file:line: field: Reason: message`; the reason is what scripts may rely on. */
function located(thrown: unknown, where: Document['where']): MusterError {
  const error = MusterError.from(thrown);
  const message = error instanceof ExpansionError ? `${error.reason}: ${error.message}` : error.message;
  const at = error.where ? `${where}: ${error.where}` : where;
  return new MusterError(error.code, message, { where: at, hint: error.hint, cause: error });
}

/** By name, then by content, so that equal input prints equal text. */
function sortedByName(applications: Application[]): Application[] {
  const keyed = applications.map((each) => [`${each.metadata.name}\0${JSON.stringify(each)}`, each] as const);
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, each]) => each);
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

/** Template engines, and how to stop them. */
export interface Engines {
  engines: TemplateEngines;
  close: () => Promise<void>;
}

/** Starts the renderer when a set asks for Go templates or YAML: others need not wait for it. */
function lazyEngines({ environment, terminal }: Context): Engines {
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
      goTemplate: {
        render: async (...args) => (await started()).goTemplate.render(...args),
        slugs: async (...args) => (await started()).goTemplate.slugs(...args),
      },
      yaml: { toJson: async (...args) => (await started()).yaml.toJson(...args) },
    },
    close: async () => (await engine?.catch(() => undefined))?.close(),
  };
}
