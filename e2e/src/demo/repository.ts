import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { parseDocuments } from '@muster/base';

const run = promisify(execFile);
const template = fileURLToPath(new URL('../../demo/repo/', import.meta.url));

/** A Git repository with a working tree that a user commits to. */
export interface ShopRepository {
  path: string;
  url: string;
}

/** Makes the demo's repository in `path`, or takes the one that is there. */
export async function ensureRepository(path: string): Promise<ShopRepository> {
  if (!existsSync(join(path, '.git'))) {
    await cp(template, path, { recursive: true });
    const git = (...args: string[]) => run('git', ['-C', path, ...args]);
    await git('init', '--quiet', '--initial-branch=main');
    await git('config', 'user.name', 'Muster demo');
    await git('config', 'user.email', 'demo@muster.invalid');
    await git('config', 'commit.gpgsign', 'false');
    await git('add', '--all');
    await git('commit', '--quiet', '-m', 'The shop, as it opens');
  }
  return { path, url: pathToFileURL(path).href };
}

/** The ApplicationSets of the repository's `fleet/` folder, pointing at the repository itself. */
export async function fleetDocuments({ path, url }: ShopRepository): Promise<Record<string, unknown>[]> {
  const files = (await readdir(join(path, 'fleet'))).filter((name) => name.endsWith('.yaml')).sort();
  const texts = files.map((name) => readFile(join(path, 'fleet', name), 'utf8'));
  return (await Promise.all(texts)).flatMap((text) =>
    parseDocuments(text.replaceAll('__REPO__', url)).map(({ value }) => value as Record<string, unknown>),
  );
}
