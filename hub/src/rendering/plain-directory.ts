import type { ApplicationSource } from '@muster/appset';
import { MusterError } from '@muster/base';
import { type Manifest, globMatches, parseManifests } from '@muster/kube';
import type { SourceTree } from '../sources/source-tree.ts';

/** Bounds of one directory. */
export interface DirectoryLimits {
  maxFiles: number;
  maxTotalBytes: number;
  maxObjects: number;
}

const MANIFEST = /\.(ya?ml|json)$/;
/** They say how to render, and are no manifests (`source-overrides.ts`). */
const OVERRIDES = /^\.argocd-source(-.+)?\.yaml$/;
/** A file that says so is left out, as in Argo CD. */
const SKIP_MARK = '+argocd:skip-file-rendering';
const MAX_ERRORS_SHOWN = 5;

/**
 * Objects of the manifests in a folder, as Argo CD's directory sources: `recurse`, `include` and `exclude` (globs over
 * the path below the folder). Throws MusterError with file and line for what cannot be read.
 */
export async function renderDirectory(
  tree: SourceTree,
  path: string,
  options: NonNullable<ApplicationSource['directory']>,
  limits: DirectoryLimits,
): Promise<Manifest[]> {
  const files = await collect(tree, path, options, limits);
  const { manifests, errors } = parseManifests(files);
  if (errors.length > 0) {
    const [first, ...more] = errors.slice(0, MAX_ERRORS_SHOWN) as [MusterError, ...MusterError[]];
    const rest = more.map((error) => error.describe());
    if (errors.length > MAX_ERRORS_SHOWN) rest.push(`and ${errors.length - MAX_ERRORS_SHOWN} more`);
    throw new MusterError(first.code, [first.message, ...rest].join('; '), { where: first.where ?? path });
  }
  if (manifests.length > limits.maxObjects)
    throw tooMany(path, `${manifests.length} objects`, limits.maxObjects);
  return manifests;
}

async function collect(
  tree: SourceTree,
  path: string,
  { recurse, include, exclude }: NonNullable<ApplicationSource['directory']>,
  limits: DirectoryLimits,
) {
  const files: { path: string; content: Buffer }[] = [];
  let bytes = 0;
  let seen = 0;
  const walk = async (below: string): Promise<void> => {
    for (const entry of (await tree.list(join(path, below))) ?? []) {
      const relative = join(below, entry.name);
      if (++seen > limits.maxFiles) throw tooMany(path, 'files', limits.maxFiles);
      if (entry.kind === 'dir') {
        if (recurse) await walk(relative);
        continue;
      }
      const isJsonnet = entry.name.endsWith('.jsonnet');
      if ((!MANIFEST.test(entry.name) && !isJsonnet) || OVERRIDES.test(entry.name)) continue;
      if (exclude && globMatches(exclude, relative)) continue;
      if (include && !globMatches(include, relative)) continue;
      const file = join(path, relative);
      if (isJsonnet) {
        throw new MusterError('unsupported', 'jsonnet is not supported yet', {
          where: file,
          hint: 'leave the file out with directory.exclude',
        });
      }
      const content = (await tree.read(file))!;
      bytes += content.length;
      if (bytes > limits.maxTotalBytes) throw tooMany(path, 'bytes of manifests', limits.maxTotalBytes);
      if (!content.includes(SKIP_MARK)) files.push({ path: file, content });
    }
  };
  await walk('');
  return files;
}

function tooMany(where: string, what: string, limit: number): MusterError {
  return new MusterError('limit', `more ${what} than the ${limit} allowed`, { where });
}

function join(folder: string, name: string): string {
  return folder === '' ? name : name === '' ? folder : `${folder}/${name}`;
}
