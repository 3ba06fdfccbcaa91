import { posix } from 'node:path';
import type { ApplicationSource } from '@muster/appset';
import { MusterError } from '@muster/base';
import { refOf, referencesOf } from '../applications/source-manifest.ts';
import { folderOf } from './chart-dependency-files.ts';
import { type Mount, mountTrees } from '../sources/mounted-tree.ts';
import type { SourceTree } from '../sources/source-tree.ts';
import type { Prepared, PreparedSource } from './prepare.ts';
import { type RenderInput, renderInput } from './render-input.ts';
import { REFERENCES, referencePath } from './references.ts';
import { overridden, overrideFiles } from './source-overrides.ts';
import { type Tool, toolOf } from './tool.ts';

/** Where files of a render come from. */
export interface Origin {
  /** Path in the render's tree; '' for the source itself. */
  mount: string;
  repositoryId: string;
  commit: string;
  /** The folder of the repository that is mounted; unset: all of it. */
  folder?: string;
}

/** One source of one Application, ready to be rendered. */
export interface SourceRender {
  input: RenderInput;
  /** The files: those of the source, and of the sources that it refers to. */
  tree(): Promise<SourceTree>;
  /** As of `sourcePath`. */
  path: string;
  origins: Origin[];
}

/** What is read to know how a source is rendered. */
export interface SourceReaders {
  tree(repositoryId: string, commit: string): Promise<SourceTree>;
  /** Names of the files in a folder. */
  files(repositoryId: string, commit: string, path: string): Promise<ReadonlySet<string>>;
  rendererVersion(): Promise<string>;
  /** What the chart of a source depends on and does not bring along; mounts are relative to the chart's charts/. */
  dependencies(prepared: Prepared, placed: PreparedSource, tree: SourceTree): Promise<Origin[]>;
  /** Tools that were found already: a thousand Applications of one folder look once. */
  tools: Map<string, Promise<Tool>>;
}

/** Decides what renders a source, from which files. Throws what keeps it from being rendered. */
export async function sourceRender(
  prepared: Prepared,
  placed: PreparedSource,
  readers: SourceReaders,
): Promise<SourceRender> {
  const { application } = prepared;
  const { path, repositoryId, state, where } = placed;
  const { commit } = state;
  const tree = await readers.tree(repositoryId, commit);
  const names = await readers.files(repositoryId, commit, path);
  const overrides = overrideFiles(application).filter((name) => names.has(name));
  const source =
    overrides.length === 0
      ? placed.source
      : await overridden(
          placed,
          tree,
          overrides.map((name) => (path === '' ? name : `${path}/${name}`)),
        );
  const tool = await toolFor(tree, placed, source, readers);
  const references = where === 'spec.source' ? [] : referencedBy(prepared, source, where);
  const origins: Origin[] = [{ mount: '', repositoryId, commit }];
  for (const { ref, target } of references) {
    const mount = `${REFERENCES}/${ref}`;
    origins.push({ mount, repositoryId: target.repositoryId, commit: target.state.commit });
  }
  if (tool === 'helm') {
    for (const one of await readers.dependencies(prepared, placed, tree))
      origins.push({ ...one, mount: posix.join(path, 'charts', one.mount) });
  }
  const input = renderInput({
    application,
    source: references.length > 0 ? located(source, where) : source,
    tool,
    path,
    repositoryId,
    ...(references.length > 0
      ? { refs: Object.fromEntries(references.map(({ ref, target }) => [ref, target.repositoryId])) }
      : {}),
    commit,
    rendererVersion: tool === 'directory' ? '' : await readers.rendererVersion(),
  });
  return { input, tree: () => treeOf(origins, readers), path, origins };
}

async function treeOf([source, ...others]: Origin[], readers: SourceReaders): Promise<SourceTree> {
  const mounts: Mount[] = [];
  for (const { mount, repositoryId, commit, folder } of others) {
    const tree = await readers.tree(repositoryId, commit);
    mounts.push({ path: mount, tree: folder === undefined ? tree : await folderOf(tree, folder) });
  }
  return mountTrees(await readers.tree(source!.repositoryId, source!.commit), mounts);
}

/** Equal for renders of the same input from the same commits. */
export function renderKey({ input, origins }: SourceRender): string {
  return [input.key, ...origins.map(({ mount, commit }) => `${mount}@${commit}`)].join(' ');
}

async function toolFor(
  tree: SourceTree,
  { path, repositoryId, where }: PreparedSource,
  source: ApplicationSource,
  readers: SourceReaders,
): Promise<Tool> {
  const explicit = ['helm', 'kustomize', 'directory'].find((tool) => source[tool]);
  const key = `${repositoryId} ${tree.commit} ${path} ${explicit}`;
  let tool = readers.tools.get(key);
  if (!tool) {
    tool = toolOf(tree, path, source, where);
    readers.tools.set(key, tool);
  }
  return tool;
}

/** The sources that this one reads value files of, by ref. */
function referencedBy(
  { sources }: Prepared,
  source: ApplicationSource,
  where: string,
): { ref: string; target: PreparedSource }[] {
  const refs = new Map<string, PreparedSource>();
  for (const { field, file } of referencesOf(source)) {
    const ref = refOf(file);
    const target = sources.find((one) => one.source.ref === ref);
    if (!target)
      throw new MusterError('invalid', `$${ref} is not the ref of a source`, { where: `${where}.${field}` });
    refs.set(ref, target);
  }
  return [...refs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([ref, target]) => ({ ref, target }));
}

/** The source with what it refers to as paths of the tree. */
function located(source: ApplicationSource, where: string): ApplicationSource {
  const { helm } = source;
  return {
    ...source,
    helm: {
      ...helm,
      ...(helm?.valueFiles
        ? { valueFiles: helm.valueFiles.map((file, i) => locate(file, `${where}.helm.valueFiles[${i}]`)) }
        : {}),
      ...(helm?.fileParameters
        ? {
            fileParameters: helm.fileParameters.map((one, i) => ({
              ...one,
              path: locate(one.path ?? '', `${where}.helm.fileParameters[${i}].path`),
            })),
          }
        : {}),
    },
  };
}

function locate(file: string, where: string): string {
  if (!file.startsWith('$')) return file;
  const ref = refOf(file);
  const rest = posix.normalize(file.slice(ref.length + 2) || '.');
  if (rest === '..' || rest.startsWith('../'))
    throw new MusterError('invalid', 'the path leads out of the repository', { where });
  return referencePath(ref, rest.replace(/^\/+/, ''));
}
