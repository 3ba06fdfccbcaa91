import type { Entry, FileSource, Preload, RenderRequest } from './request.ts';

const MAX_FILES = 500;
const MAX_FILE = 256 * 1024;
const MAX_TOTAL = 8 * 2 ** 20;

/**
 * Reads ahead what a render will ask for in any case: the listings down to its directory, and of a chart every file
 * (Helm loads them all). Only a saving of round trips: what it leaves out or fails to read is asked for later.
 */
export async function prefetch({ source, files, preload }: RenderRequest): Promise<Preload> {
  const found: Required<Preload> = { lists: { ...preload?.lists }, files: { ...preload?.files } };
  const budget = { files: MAX_FILES, bytes: MAX_TOTAL };
  const segments = source.path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) return found;
  const parents = segments.map((_, depth) => segments.slice(0, depth).join('/') || '.');
  const path = segments.join('/') || '.';
  try {
    await Promise.all(parents.map((dir) => list(files, dir, found)));
    await readDirectory(files, path, source.kind === 'helm', found, budget);
  } catch {
    // The render itself asks again and says what is wrong.
  }
  return found;
}

async function list(files: FileSource, dir: string, found: Required<Preload>): Promise<Entry[]> {
  const entries = found.lists[dir] ?? (await files.list(dir));
  if (entries) found.lists[dir] = entries;
  return entries ?? [];
}

async function readDirectory(
  files: FileSource,
  dir: string,
  deep: boolean,
  found: Required<Preload>,
  budget: { files: number; bytes: number },
): Promise<void> {
  const work: Promise<void>[] = [];
  for (const entry of await list(files, dir, found)) {
    const path = dir === '.' ? entry.name : `${dir}/${entry.name}`;
    if (budget.files-- <= 0 || budget.bytes <= 0) break;
    if (entry.hidden) continue;
    if (entry.type === 'dir' && deep) work.push(readDirectory(files, path, deep, found, budget));
    // What has no known size is left to the render, whose bounds then decide.
    if (entry.type === 'file' && entry.size !== undefined && entry.size <= MAX_FILE)
      work.push(readFile(files, path, found, budget));
  }
  await Promise.all(work);
}

async function readFile(
  files: FileSource,
  path: string,
  found: Required<Preload>,
  budget: { bytes: number },
): Promise<void> {
  if (found.files[path]) return;
  const bytes = await files.read(path);
  if (!bytes || bytes.length > budget.bytes) return;
  budget.bytes -= bytes.length;
  // A copy: posting a slice of a larger buffer would post all of it.
  found.files[path] = new Uint8Array(bytes);
}
