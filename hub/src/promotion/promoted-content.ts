import { MusterError } from '@muster/base';
import { globMatches } from '@muster/kube';
import type { Environment } from '@muster/rollout';
import type { FileEdits, TreeFile, WritableRepository } from '../sources/pushes/repository-pushes.service.ts';
import { fieldOf, withField } from './yaml-fields.ts';

/** What a branch has to become. */
export type Promoted =
  /** It is there already. */
  | { kind: 'same' }
  /** The branch follows: no commit has to be made. */
  | { kind: 'forward'; commit: string }
  | { kind: 'tree'; tree: string; parents: string[] }
  | { kind: 'conflict'; why: string };

/**
 * What the branch of an environment has to become, from what it points at now (`base`), so that it has what the environment before
 * has at a commit.
 */
export async function promotedContent(
  repository: WritableRepository,
  before: Environment,
  environment: Environment,
  commit: string,
  base: string,
): Promise<Promoted> {
  const { git } = repository;
  const change = environment.change!;
  if (change.kind === 'merge') return merged(repository, change.exact, commit, base);
  try {
    const edits =
      change.kind === 'copy'
        ? await copied(repository, before.path, environment.path, change, commit, base)
        : await fieldsSet(repository, before.path, environment.path, change.fields, commit, base);
    const tree = await git.treeWith(base, edits);
    return tree === (await git.treeOf(base)) ? { kind: 'same' } : { kind: 'tree', tree, parents: [base] };
  } catch (thrown) {
    if (thrown instanceof MusterError && (thrown.code === 'invalid' || thrown.code === 'limit'))
      return { kind: 'conflict', why: thrown.message };
    throw thrown;
  }
}

async function merged(
  { git }: WritableRepository,
  exact: boolean,
  commit: string,
  base: string,
): Promise<Promoted> {
  if (await git.isAncestor(commit, base)) return { kind: 'same' };
  if (await git.isAncestor(base, commit)) return { kind: 'forward', commit };
  const parents = [base, commit];
  if (exact) return { kind: 'tree', tree: await git.treeOf(commit), parents };
  const result = await git.merge(base, commit);
  if ('tree' in result) return { kind: 'tree', tree: result.tree, parents };
  const { conflicts } = result;
  const more = conflicts.length > 10 ? ` and ${conflicts.length - 10} more` : '';
  return { kind: 'conflict', why: `both branches changed ${conflicts.slice(0, 10).join(', ')}${more}` };
}

async function copied(
  repository: WritableRepository,
  from: string,
  to: string,
  { exclude, keep }: { exclude: readonly string[]; keep: readonly { file: string; fields: string[] }[] },
  commit: string,
  base: string,
): Promise<FileEdits> {
  const { git } = repository;
  const source = await git.files(commit, from);
  const target = await git.files(base, to);
  // What is not there is no reason to empty what is.
  if (source.size === 0)
    throw new MusterError('invalid', `${from} holds no files at commit ${commit.slice(0, 7)}`);
  const kept = new Map(keep.map(({ file, fields }) => [file, fields]));
  const excluded = (name: string) => exclude.some((pattern) => globMatches(pattern, name, '/'));
  const edits = new Map<string, TreeFile | null>();
  for (const [path, file] of source) {
    const name = path.slice(from.length + 1);
    const place = `${to}/${name}`;
    const now = target.get(place);
    if (excluded(name)) continue;
    const fields = kept.get(name);
    const wanted = fields && now ? await withKept(repository, file, now, fields, place) : file;
    if (now?.oid !== wanted.oid || now.mode !== wanted.mode) edits.set(place, wanted);
  }
  for (const place of target.keys()) {
    const name = place.slice(to.length + 1);
    if (!source.has(`${from}/${name}`) && !excluded(name)) edits.set(place, null);
  }
  return edits;
}

/** The file of the environment before with some fields as they are. */
async function withKept(
  repository: WritableRepository,
  file: TreeFile,
  now: TreeFile,
  fields: readonly string[],
  place: string,
): Promise<TreeFile> {
  const old = await repository.text(now.oid, place);
  let text = await repository.text(file.oid, place);
  for (const field of fields) {
    const value = fieldOf(old, field, place);
    if (value !== undefined) text = withField(text, field, value, place);
  }
  return { mode: file.mode, oid: await repository.git.writeBlob(text) };
}

async function fieldsSet(
  repository: WritableRepository,
  from: string,
  to: string,
  fields: readonly { file: string; field: string; fromFile: string; fromField: string }[],
  commit: string,
  base: string,
): Promise<FileEdits> {
  const { git } = repository;
  const [source, target] = [await git.files(commit, from), await git.files(base, to)];
  const texts = new Map<string, string>();
  const read = async (files: ReadonlyMap<string, TreeFile>, place: string) => {
    const file = files.get(place);
    if (!file) throw new MusterError('invalid', `there is no file ${place}`);
    return repository.text(file.oid, place);
  };
  for (const { file, field, fromFile, fromField } of fields) {
    const [there, here] = [below(from, fromFile), below(to, file)];
    const value = fieldOf(await read(source, there), fromField, there);
    if (value === undefined) throw new MusterError('invalid', `${there} has no field ${fromField}`);
    const text = texts.get(here) ?? (await read(target, here));
    texts.set(here, withField(text, field, value, here));
  }
  const edits = new Map<string, TreeFile | null>();
  for (const [place, text] of texts) {
    const file = target.get(place)!;
    edits.set(place, { mode: file.mode, oid: await git.writeBlob(text) });
  }
  return edits;
}

function below(path: string, file: string): string {
  return path === '' ? file : `${path}/${file}`;
}
