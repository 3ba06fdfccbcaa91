import { posix } from 'node:path';
import type { RenderReads } from '../store/schema.ts';
import type { SourceRender } from './source-render.ts';

/** Committer time of the last commit up to `commit` that touched one of the paths. */
type LastTouched = (repositoryId: string, commit: string, paths: string[]) => Promise<Date | undefined>;

/** More paths than this are asked for by their folder: a chart of ten thousand files is one argument then. */
const MAX_PATHS = 500;

/** When the files of a render were touched last, in whichever repository; answers are kept. */
export function clockOf(
  { origins, path }: Pick<SourceRender, 'origins' | 'path'>,
  lastTouched: LastTouched,
): (reads: RenderReads) => Promise<Date | undefined> {
  const clocks = new Map<string, Promise<Date | undefined>>();
  const newest = async (read: readonly string[]) => {
    const times = await Promise.all(
      origins.map(({ mount, repositoryId, commit, folder = '' }) => {
        const paths = pathsIn(
          mount,
          read,
          origins.map((origin) => origin.mount),
        );
        // Of the source itself, its folder says when it was made; what it refers to counts where it was read.
        if (mount !== '' && paths.length === 0) return undefined;
        const few = paths.length > 0 && paths.length <= MAX_PATHS;
        const inside = few ? paths : [(mount === '' && path) || '.'];
        return lastTouched(
          repositoryId,
          commit,
          inside.map((one) => posix.join(folder, one)),
        );
      }),
    );
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : new Date(Math.max(...known.map((time) => time.getTime())));
  };
  return (reads) => {
    const paths = Object.keys(reads.files);
    const key = paths.join('\0');
    const found = clocks.get(key) ?? newest(paths);
    clocks.set(key, found);
    return found;
  };
}

function pathsIn(mount: string, read: readonly string[], mounts: readonly string[]): string[] {
  if (mount !== '')
    return read.flatMap((path) => (path.startsWith(`${mount}/`) ? [path.slice(mount.length + 1)] : []));
  const others = mounts.filter((one) => one !== '');
  return read.filter((path) => !others.some((other) => path.startsWith(`${other}/`)));
}
