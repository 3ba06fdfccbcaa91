import type { ApplicationSource } from '@muster/appset';
import { isPin, shortCommit } from '@muster/api/commits';
import { MusterError } from '@muster/base';
import type { SourceTree } from '../sources/source-tree.ts';

export type Tool = 'helm' | 'kustomize' | 'directory';

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * What renders a source, as Argo CD decides: the tool whose settings it holds, else a chart where there is a
 * Chart.yaml, a kustomization where there is one, plain manifests else. Throws `not-found` for a path that is no folder.
 */
export async function toolOf(
  tree: SourceTree,
  path: string,
  source: ApplicationSource,
  where: string,
): Promise<Tool> {
  const kind = await tree.kind(path);
  if (kind !== 'dir') {
    const what = kind === 'file' ? 'is a file, not a folder' : 'does not exist';
    throw new MusterError(
      'not-found',
      `the path ${path || '.'} ${what} at ${isPin(tree.commit) ? '' : 'commit '}${shortCommit(tree.commit)}`,
      {
        where: `${where}.path`,
      },
    );
  }
  if (source.helm) return 'helm';
  if (source.kustomize) return 'kustomize';
  if (source.directory) return 'directory';
  const below = (name: string) => (path === '' ? name : `${path}/${name}`);
  if ((await tree.kind(below('Chart.yaml'))) === 'file') return 'helm';
  for (const name of KUSTOMIZATIONS) if ((await tree.kind(below(name))) === 'file') return 'kustomize';
  return 'directory';
}

/** The path of the source at `where`, in the tree: no slashes around it, '' for the root. Throws `invalid` for one that leads out. */
export function sourcePath(source: ApplicationSource, where: string): string {
  // As in Argo CD: a chart from a repository is rendered as a whole.
  if (source.chart) return '';
  const parts = (source.path ?? '').split('/').filter((part) => part !== '' && part !== '.');
  if (source.path?.startsWith('/'))
    throw new MusterError('invalid', 'the path must be relative to the repository', {
      where: `${where}.path`,
    });
  if (parts.includes('..'))
    throw new MusterError('invalid', 'the path leads out of the repository', { where: `${where}.path` });
  return parts.join('/');
}
