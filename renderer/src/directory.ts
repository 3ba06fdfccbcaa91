import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entry, FileSource } from './request.ts';

/** A folder on disk as a repository: for charts in a checkout, tests and benchmarks. A `.git` folder is left out. */
export function filesIn(root: string): FileSource {
  const absent = (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EISDIR') return undefined;
    throw error;
  };
  return {
    list: async (dir) => {
      const found = await readdir(join(root, dir), { withFileTypes: true }).catch(absent);
      const members = found?.filter((member) => member.name !== '.git');
      return members && (await Promise.all(members.map((member) => entry(join(root, dir), member))));
    },
    read: async (path) => {
      const target = await readlink(join(root, path)).catch(() => undefined);
      if (target !== undefined) return new TextEncoder().encode(target);
      return await readFile(join(root, path)).catch(absent);
    },
  };
}

async function entry(
  dir: string,
  member: { name: string; isDirectory(): boolean; isSymbolicLink(): boolean },
): Promise<Entry> {
  const { name } = member;
  if (member.isSymbolicLink()) return { name, type: 'symlink' };
  if (member.isDirectory()) return { name, type: 'dir' };
  return { name, type: 'file', size: (await stat(join(dir, name))).size };
}
