import { parseManifests } from '@muster/kube';
import type { SourceTree } from '../sources/source-tree.ts';
import type { BadDocument } from './child-documents.ts';

const MAX_FILES = 2000;

/** Where documents stand, as `file:line` by `Kind/name`. Those that a tool made, or in too many files, are not found. */
export async function locate(
  tree: Pick<SourceTree, 'list' | 'read'>,
  folder: string,
  wanted: readonly Pick<BadDocument, 'kind' | 'name'>[],
): Promise<Map<string, string>> {
  const missing = new Set(wanted.map(({ kind, name }) => `${kind}/${name}`));
  const found = new Map<string, string>();
  let seen = 0;
  const walk = async (path: string): Promise<void> => {
    for (const entry of (await tree.list(path)) ?? []) {
      if (missing.size === 0 || ++seen > MAX_FILES) return;
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.kind === 'dir') await walk(below);
      else if (/\.(ya?ml|json)$/.test(entry.name)) {
        const content = await tree.read(below).catch(() => undefined);
        if (!content) continue;
        for (const { object, file, line } of parseManifests([{ path: below, content }]).manifests) {
          const key = `${object.kind}/${object.metadata.name ?? ''}`;
          if (missing.delete(key)) found.set(key, line ? `${file}:${line}` : file);
        }
      }
    }
  };
  await walk(folder);
  return found;
}
