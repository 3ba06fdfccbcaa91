import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { RepoTree } from '@muster/appset';
import { MusterError } from '@muster/base';

/** A folder seen as a repository: all its files but `.git`; links that lead out of it are not followed. */
export function folderTree(folder: string): RepoTree {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new MusterError('invalid', 'is not a folder', { where: folder });
  }
  const root = realpathSync(folder);
  const files: string[] = [];
  const directories: string[] = [];
  const walk = (path: string): void => {
    const entries = readdirSync(join(root, path), { withFileTypes: true });
    if (entries.length === 0 && path !== '') directories.push(path);
    for (const entry of entries) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== '.git') walk(inner);
      } else if (entry.isFile() || (entry.isSymbolicLink() && isFileInside(root, inner))) files.push(inner);
    }
  };
  walk('');
  return { files, directories, read: (path) => readFileSync(inside(root, path), 'utf8') };
}

function isFileInside(root: string, path: string): boolean {
  try {
    return statSync(inside(root, path)).isFile();
  } catch {
    return false;
  }
}

/** The real path. @throws MusterError when it is not in the folder. */
function inside(root: string, path: string): string {
  const real = realpathSync(join(root, path));
  const way = relative(root, real);
  if (way === '..' || way.startsWith(`..${sep}`)) {
    throw new MusterError('invalid', 'leads out of the repository', { where: path });
  }
  return real;
}
