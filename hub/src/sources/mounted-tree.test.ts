import { sha256 } from '@muster/base';
import { describe, expect, test } from 'vitest';
import { mountTrees } from './mounted-tree.ts';
import { SourceTree, type TreeEntry, type TreeObjects, type TreeReads } from './source-tree.ts';

/** A tree of texts; `-> target` is a link. */
function treeOf(files: Record<string, string>, commit = 'c1'): SourceTree {
  const trees = new Map<string, TreeEntry[]>();
  const blobs = new Map<string, string>();
  const add = (prefix: string): string => {
    const names = new Set(
      Object.keys(files)
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length).split('/')[0]!),
    );
    const entries = [...names].sort().map((name): TreeEntry => {
      const content = files[prefix + name];
      if (content === undefined) return { name, kind: 'dir', oid: add(`${prefix}${name}/`) };
      const link = content.startsWith('-> ');
      const oid = sha256(content);
      blobs.set(oid, link ? content.slice(3) : content);
      return { name, kind: link ? 'symlink' : 'file', oid };
    });
    const oid = sha256(JSON.stringify(entries));
    trees.set(oid, entries);
    return oid;
  };
  const objects: TreeObjects = {
    tree: async (oid) => trees.get(oid)!,
    blob: async (oid) => Buffer.from(blobs.get(oid)!),
  };
  return new SourceTree(objects, commit, add(''), { maxFileBytes: 1000 });
}

const noReads = (): TreeReads => ({ files: {}, dirs: {}, absent: [] });
const text = async (tree: SourceTree, path: string) => (await tree.read(path))?.toString();

describe('a tree mounted into another', () => {
  const base = treeOf({
    'app/Chart.yaml': 'name: app',
    'app/charts/old/a.yaml': 'old',
    'app/charts/kept/a.yaml': 'kept',
    'other/values.yaml': 'x: 1',
  });
  const chart = treeOf({ 'Chart.yaml': 'name: old', 'templates/b.yaml': 'b' }, 'v1');

  test('is read and listed as one, hiding what was at its path', async () => {
    const tree = await mountTrees(base, [{ path: 'app/charts/old', tree: chart }]);
    expect(tree.commit).toBe('c1');
    expect(await text(tree, 'app/charts/old/templates/b.yaml')).toBe('b');
    expect(await text(tree, 'app/charts/kept/a.yaml')).toBe('kept');
    expect(await tree.kind('app/charts/old/a.yaml')).toBeUndefined();
    expect(await tree.list('app/charts')).toEqual([
      { name: 'kept', kind: 'dir' },
      { name: 'old', kind: 'dir' },
    ]);
    expect((await tree.rawList('app/charts/old'))?.map(({ name }) => name)).toEqual([
      'Chart.yaml',
      'templates',
    ]);
    expect((await tree.rawRead('app/charts/old/Chart.yaml'))?.toString()).toBe('name: old');
  });

  test('is mounted where no folder was, and more than one at a time, one inside the other', async () => {
    const tree = await mountTrees(base, [
      { path: '.refs/values', tree: treeOf({ 'a/values.yaml': 'ref' }) },
      { path: '.refs/chart', tree: chart },
      { path: '.refs/chart/charts/sub', tree: treeOf({ 'Chart.yaml': 'name: sub' }) },
    ]);
    expect(await text(tree, '.refs/values/a/values.yaml')).toBe('ref');
    expect(await text(tree, '.refs/chart/templates/b.yaml')).toBe('b');
    expect(await text(tree, '.refs/chart/charts/sub/Chart.yaml')).toBe('name: sub');
    expect(await text(tree, 'other/values.yaml')).toBe('x: 1');
    const more = await mountTrees(tree, [{ path: '.refs/chart/extra', tree: chart }]);
    expect(await text(more, '.refs/chart/extra/Chart.yaml')).toBe('name: old');
    expect(await text(more, '.refs/chart/charts/sub/Chart.yaml')).toBe('name: sub');
  });

  test('reads are noted by their path in the whole, and hold until one of the files is another', async () => {
    const mount = (tree: SourceTree, below = base) => mountTrees(below, [{ path: 'app/charts/old', tree }]);
    const reads = noReads();
    const tree = (await mount(chart)).recording(reads);
    await tree.read('app/charts/old/templates/b.yaml');
    await tree.list('app/charts');
    await tree.kind('app/charts/old/values.yaml');
    expect(Object.keys(reads.files)).toEqual(['app/charts/old/templates/b.yaml']);
    expect(reads.absent).toEqual(['app/charts/old/values.yaml']);
    expect(await (await mount(chart)).holds(reads)).toBe(true);
    const unread = treeOf({ 'Chart.yaml': 'another', 'templates/b.yaml': 'b' });
    expect(await (await mount(unread)).holds(reads)).toBe(true);
    expect(await (await mount(treeOf({ 'templates/b.yaml': 'c' }))).holds(reads)).toBe(false);
    expect(await (await mount(treeOf({ 'templates/b.yaml': 'b', 'values.yaml': '' }))).holds(reads)).toBe(
      false,
    );
    const fewer = treeOf({ 'app/charts/old/a.yaml': 'old' });
    expect(await (await mount(chart, fewer)).holds(reads)).toBe(false);
    const names = { files: Object.keys(reads.files), dirs: ['app/charts'], absent: reads.absent };
    expect(await tree.note(names)).toEqual(reads);
  });

  test('links inside it are followed, out of it they are refused', async () => {
    const linked = treeOf({
      'in.yaml': '-> sub/a.yaml',
      'sub/a.yaml': 'a',
      'sub/up.yaml': '-> ../in.yaml',
      'out.yaml': '-> ../other/values.yaml',
    });
    const tree = await mountTrees(base, [{ path: 'ref', tree: linked }]);
    expect(await text(tree, 'ref/in.yaml')).toBe('a');
    expect(await text(tree, 'ref/sub/up.yaml')).toBe('a');
    await expect(tree.read('ref/out.yaml')).rejects.toThrow('the symlink points out of the repository');
    await expect(tree.rawRead('ref/out.yaml')).rejects.toThrow('the symlink points out of the repository');
    expect((await tree.rawRead('ref/in.yaml'))?.toString()).toBe('sub/a.yaml');
  });

  test('a file or a link in the way, and a path that is none, are refused', async () => {
    const blocked = treeOf({ a: 'file', b: '-> other' });
    await expect(mountTrees(blocked, [{ path: 'a/x', tree: chart }])).rejects.toThrow('a file stands where');
    await expect(mountTrees(blocked, [{ path: 'b/x', tree: chart }])).rejects.toThrow('a link stands where');
    await expect(mountTrees(base, [{ path: '../x', tree: chart }])).rejects.toThrow('nothing can be mounted');
    await expect(mountTrees(base, [{ path: '', tree: chart }])).rejects.toThrow('nothing can be mounted');
  });
});
