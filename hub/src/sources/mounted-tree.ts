import { MusterError, sha256 } from '@muster/base';
import { SourceTree, type TreeEntry, type TreeObjects } from './source-tree.ts';

/** A tree that is to be seen at a path of another. */
export interface Mount {
  /** Relative to the root of the tree mounted into, not ''. */
  path: string;
  tree: SourceTree;
}

interface Node {
  children: Map<string, Node>;
  tree?: SourceTree;
}

/** Folders that exist only because something is mounted below them. */
class MountFolders implements TreeObjects {
  readonly #folders = new Map<string, TreeEntry[]>();

  add(entries: TreeEntry[]): string {
    const oid = sha256(entries.map(({ name, kind, oid: member }) => `${kind} ${name}\0${member}\n`).join(''));
    this.#folders.set(oid, entries);
    return oid;
  }

  tree(oid: string): Promise<TreeEntry[]> {
    const found = this.#folders.get(oid);
    return found ? Promise.resolve(found) : Promise.reject(notHere(oid));
  }

  blob(oid: string): Promise<Buffer> {
    return Promise.reject(notHere(oid));
  }
}

/**
 * One tree with others mounted into it: read as one, with what is read noted by its path in the whole, so that a render
 * holds exactly as long as the files that it read are the same, whichever tree they came from. A mount hides what was at
 * its path; links inside it do not lead out of it. `commit` is the first tree's. Throws `invalid` where a file or a
 * link stands in the way.
 */
export async function mountTrees(base: SourceTree, mounts: readonly Mount[]): Promise<SourceTree> {
  if (mounts.length === 0) return base;
  const root: Node = { children: new Map() };
  for (const { path, tree } of mounts) {
    const parts = path.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..'))
      throw new MusterError('invalid', `nothing can be mounted at “${path}”`);
    let at = root;
    for (const part of parts) {
      const next: Node = at.children.get(part) ?? { children: new Map() };
      at.children.set(part, next);
      at = next;
    }
    at.tree = tree;
  }
  const folders = new MountFolders();
  const { oid } = await join(folders, '', root, base, '');
  return new SourceTree(folders, base.commit, oid, base.limits);
}

/** The entry for a node: `tree` at `inside` is what was there before. */
async function join(
  folders: MountFolders,
  name: string,
  node: Node,
  tree: SourceTree,
  inside: string,
): Promise<TreeEntry> {
  if (node.tree && node.children.size === 0)
    return { name, kind: 'dir', oid: node.tree.rootOid, objects: node.tree.objects, root: true };
  const under = node.tree ?? tree;
  const path = node.tree ? '' : inside;
  const before = await under.folder(path);
  const entries: TreeEntry[] = (before?.entries ?? [])
    .filter((entry) => !node.children.has(entry.name))
    .map((entry) => ({ objects: before!.objects, ...entry }));
  for (const [child, below] of node.children)
    entries.push(await join(folders, child, below, under, path === '' ? child : `${path}/${child}`));
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return {
    name,
    kind: 'dir',
    oid: folders.add(entries),
    objects: folders,
    ...(node.tree || before?.root ? { root: true as const } : {}),
  };
}

function notHere(oid: string): MusterError {
  return new MusterError('unavailable', `${oid} is not in the mounted tree`);
}
