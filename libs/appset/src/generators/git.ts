import type { Json } from '@muster/base';
import { type Context, listAt, missingInput, textAt, within } from '../context.ts';
import { isObject } from '../decode.ts';
import { paramsError } from '../errors.ts';
import { compileGlob } from '../globs/doublestar.ts';
import { compilePathMatch } from '../globs/path-match.ts';
import { compilePathspec } from '../globs/pathspec.ts';
import { dict, flatten, normalizeName, type Params, StringList } from '../params.ts';
import type { RepoTree } from '../ports.ts';
import type { GitGenerator } from '../types.ts';
import { addValues } from './values.ts';

const PREFIX = 'error generating params from git: ';

/** One set per directory or per map in a file; `directories` counts where both are given. */
export async function gitParameters(
  generator: GitGenerator,
  context: Context,
  where: string,
): Promise<Params[]> {
  checkProject(context);
  const directories = listAt(generator.directories, `${where}.directories`);
  const files = listAt(generator.files, `${where}.files`);
  if (directories.length === 0 && files.length === 0) throw paramsError('ApplicationSet is empty', where);
  if (!context.repos) throw missingInput('the repository', where);
  const { repos } = context;
  const repoURL = textAt(generator.repoURL, `${where}.repoURL`);
  const revision = textAt(generator.revision, `${where}.revision`);
  const tree = await within(`${where} (${repoURL})`, PREFIX, () =>
    repos.tree(repoURL, revision, context.signal),
  );
  const prefix = textAt(generator.pathParamPrefix, `${where}.pathParamPrefix`);
  const sets =
    directories.length > 0
      ? matchDirectories(tree, directories, where).map((path) => directorySet(path, prefix, context))
      : await fileSets(tree, generator, files, prefix, context, where);
  await within(where, `${PREFIX}failed to append templated values: `, () =>
    addValues(generator.values, sets, context, `${where}.values`),
  );
  return sets;
}

/** The reference reads the project of the common template before it reads the repository. */
function checkProject({ set, projects }: Context): void {
  const project = String(set.spec.template?.spec?.['project'] ?? '');
  if (project.includes('{{') || !projects || projects.has(project)) return;
  throw paramsError(
    `error getting project ${project}: appprojects.argoproj.io ${JSON.stringify(project)} not found`,
    'spec.template.spec.project',
  );
}

type Item = { path: string; exclude?: boolean };

function matchDirectories(tree: RepoTree, items: Item[], where: string): string[] {
  const tests = items.map((item, i) => ({
    matches: compilePathMatch(textAt(item?.path, `${where}.directories[${i}].path`)),
    exclude: item.exclude === true,
  }));
  return directoriesOf(tree).filter(
    (path) =>
      tests.some(({ exclude, matches }) => !exclude && matches(path)) &&
      !tests.some(({ exclude, matches }) => exclude && matches(path)),
  );
}

/** Every directory but the root and what is hidden or below something hidden, sorted. */
function directoriesOf(tree: RepoTree): string[] {
  const found = new Set<string>();
  const add = (path: string): void => {
    for (let dir = path; dir !== '' && !found.has(dir); dir = parent(dir)) found.add(dir);
  };
  for (const path of tree.files) add(parent(path));
  for (const path of tree.directories ?? []) add(path.replace(/\/$/, ''));
  return [...found].filter((path) => !path.split('/').some((part) => part.startsWith('.'))).sort();
}

const parent = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function directorySet(path: string, prefix: string, { language }: Context): Params {
  const out = dict();
  if (language.goTemplate) return setPath(out, prefix, pathParameters(path));
  addFlatPath(out, prefix, path);
  return out;
}

function pathParameters(path: string): Params {
  return {
    path,
    basename: base(path),
    basenameNormalized: normalizeName(base(path)),
    segments: new StringList(path.split('/')),
  };
}

function setPath(out: Params, prefix: string, path: Params): Params {
  if (prefix === '') out['path'] = path;
  else out[prefix] = { path };
  return out;
}

function addFlatPath(out: Params, prefix: string, path: string): string {
  const name = prefix === '' ? 'path' : `${prefix}.path`;
  out[name] = path;
  out[`${name}.basename`] = base(path);
  out[`${name}.basenameNormalized`] = normalizeName(base(path));
  path.split('/').forEach((segment, i) => {
    if (segment !== '') out[`${name}[${i}]`] = segment;
  });
  return name;
}

async function fileSets(
  tree: RepoTree,
  generator: GitGenerator,
  items: Item[],
  prefix: string,
  context: Context,
  where: string,
): Promise<Params[]> {
  const paths = matchFiles(tree, items, context, where);
  const texts: string[] = [];
  for (const path of paths) {
    context.signal?.throwIfAborted();
    texts.push(await within(`${where} (${path})`, PREFIX, () => tree.read(path)));
  }
  const answers = paths.length === 0 ? [] : await context.yaml.toJson(texts, context.signal);
  return paths.flatMap((path, i) => {
    const answer = answers[i]!;
    const fail = (why: string): never => {
      throw paramsError(
        `${PREFIX}unable to process file '${path}' from repository '${generator.repoURL}': unable to parse file: ${why}`,
        `${where} (${path})`,
      );
    };
    if (typeof answer !== 'string') return fail(`error converting YAML to JSON: ${answer.error}`);
    return mapsOf(JSON.parse(answer) as Json, fail).map((map) => fileSet(map, path, prefix, context));
  });
}

function matchFiles(tree: RepoTree, items: Item[], context: Context, where: string): string[] {
  const all = [...tree.files];
  const matched = new Set<string>();
  const run = (exclude: boolean): void =>
    items.forEach((item, i) => {
      if ((item?.exclude === true) !== exclude) return;
      const place = `${where}.files[${i}].path`;
      const pattern = textAt(item?.path, place);
      const matches = compileFilePattern(pattern, tree, context, place);
      for (const path of all.filter(matches)) {
        if (exclude) matched.delete(path);
        else matched.add(path);
      }
    });
  run(false);
  run(true);
  return [...matched].sort();
}

function compileFilePattern(pattern: string, tree: RepoTree, context: Context, where: string) {
  try {
    if (!context.newGitFileGlobbing) return compilePathspec(pattern);
    const matches = compileGlob(pattern);
    const directory = ['.', ...allDirectories(tree)].find((path) => matches(path));
    if (directory !== undefined) throw new TypeError(`read ${directory}: is a directory`);
    return matches;
  } catch (error) {
    throw paramsError(
      `${PREFIX}unable to list files with pattern ${pattern}: ${(error as Error).message}`,
      where,
    );
  }
}

function allDirectories(tree: RepoTree): Set<string> {
  const found = new Set<string>();
  for (const path of tree.files)
    for (let dir = parent(path); dir !== '' && !found.has(dir); dir = parent(dir)) found.add(dir);
  for (const path of tree.directories ?? []) found.add(path);
  // A checkout has it, and a lone star matches it.
  return found.add('.git');
}

/** A file holds one map (an empty file an empty one) or a list of maps. */
function mapsOf(content: Json, fail: (why: string) => never): Params[] {
  if (content === null) return [dict()];
  if (isObject(content)) return [content];
  if (!Array.isArray(content)) return fail('it is neither a map nor a list of maps');
  return content.map((item) => {
    if (item === null) return dict();
    return isObject(item) ? item : fail('it is a list, and not all of its members are maps');
  });
}

function fileSet(map: Params, file: string, prefix: string, { language }: Context): Params {
  const path = parent(file) || '.';
  const names = { filename: base(file), filenameNormalized: normalizeName(base(file)) };
  if (language.goTemplate) {
    return setPath(Object.assign(dict(), map), prefix, { ...pathParameters(path), ...names });
  }
  const out: Params = flatten(map, false);
  const name = addFlatPath(out, prefix, path);
  for (const [key, value] of Object.entries(names)) out[`${name}.${key}`] = value;
  return out;
}
