import { posix } from 'node:path';
import { type Json, MusterError, parseDocument } from '@muster/base';
import { SourceTree } from '../sources/source-tree.ts';
import { type ChartDependency, dependenciesOf } from './chart-dependencies.ts';

/** A dependency that is not in the chart's folder charts/. */
export interface MissingDependency extends ChartDependency {
  /** Its folder in charts/. */
  folder: string;
  /** Whether its version is the one of a lock. */
  locked: boolean;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,249}$/;

/** What the chart at `path` depends on and does not bring along. Throws `invalid` for a list or a lock that is wrong. */
export async function missingDependencies(tree: SourceTree, path: string): Promise<MissingDependency[]> {
  const chart = await textAt(tree, posix.join(path, 'Chart.yaml'));
  if (!chart) return [];
  const described = parseDocument(chart.text, { file: chart.where });
  const old = !isObject(described) || described['apiVersion'] !== 'v2';
  const requirements = old ? await textAt(tree, posix.join(path, 'requirements.yaml')) : undefined;
  const lock =
    (await textAt(tree, posix.join(path, 'Chart.lock'))) ??
    (old ? await textAt(tree, posix.join(path, 'requirements.lock')) : undefined);
  const listed = dependenciesOf(requirements ?? chart, undefined).wanted.filter(
    (one) => one.repository !== '',
  );
  if (listed.length === 0) return [];
  const vendored = await vendoredIn(tree, posix.join(path, 'charts'));
  if (listed.every((one) => vendored(one.name))) return [];
  const { wanted, locked } = dependenciesOf(requirements ?? chart, lock);
  const missing = new Map<string, MissingDependency>();
  for (const one of wanted) {
    if (one.repository === '' || vendored(one.name)) continue;
    if (!NAME.test(one.name))
      throw new MusterError('invalid', `“${one.name}” is not the name of a chart`, {
        where: (requirements ?? chart).where,
      });
    // The same chart may be wanted twice, under aliases; in two versions it is in two folders.
    const twin = missing.get(one.name);
    const same = !twin || (twin.version === one.version && twin.repository === one.repository);
    const folder = same ? one.name : `${one.name}-${missing.size}`;
    missing.set(folder, { ...one, folder, locked });
  }
  return [...missing.values()];
}

/** Whether charts/ holds a chart, as a folder or as an archive. */
async function vendoredIn(tree: SourceTree, folder: string): Promise<(name: string) => boolean> {
  const names = new Set<string>();
  const archives: string[] = [];
  for (const { name, kind } of (await tree.list(folder)) ?? []) {
    if (kind === 'file') archives.push(name);
    else {
      const chart = await textAt(tree, posix.join(folder, name, 'Chart.yaml'));
      const described: Json = chart ? parseDocument(chart.text, { file: chart.where }) : null;
      if (isObject(described)) names.add(String(described['name']));
    }
  }
  return (name) =>
    names.has(name) ||
    archives.some((file) => file.startsWith(`${name}-`) && /^v?\d.*\.tgz$/.test(file.slice(name.length + 1)));
}

/** The folder that a `file://` repository means, relative to the root of the chart's tree. Throws `invalid` outside of it. */
export function localFolder(path: string, { name, repository }: ChartDependency): string {
  const written = repository.slice('file://'.length);
  const folder = posix.join(path === '' ? '.' : path, written).replace(/\/+$/, '');
  if (written.startsWith('/') || folder === '..' || folder.startsWith('../'))
    throw new MusterError(
      'invalid',
      `the dependency ${name} at ${repository} is not in the same repository`,
      {
        where: posix.join(path, 'Chart.yaml'),
      },
    );
  return folder === '.' ? '' : folder;
}

/** What is below a folder of a tree, as a tree. Throws `not-found` where there is none. */
export async function folderOf(tree: SourceTree, folder: string): Promise<SourceTree> {
  const found = await tree.raw(folder);
  if (found?.kind !== 'dir') throw new MusterError('not-found', 'there is no such folder', { where: folder });
  return new SourceTree(found.objects ?? tree.objects, tree.commit, found.oid, tree.limits);
}

async function textAt(tree: SourceTree, path: string): Promise<{ text: string; where: string } | undefined> {
  const content = await tree.read(path);
  return content && { text: content.toString('utf8').replace(/^\uFEFF/, ''), where: path };
}

function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
