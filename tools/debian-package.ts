import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toolsFolder } from './go-tools.mjs';
import { capture, took } from './tasks/context.ts';
import { type SystemProgram, findProgram } from './tasks/system.ts';

/** Downloading waits no longer than this for anything. */
const BOUNDS = ['-o', 'Acquire::http::Timeout=30', '-o', 'Acquire::Retries=2'];

/** Where a program is: on PATH, or out of its Debian package in the tool cache. Undefined: it has to be fetched. */
export function unpackedProgram({ commands, debian }: SystemProgram): string | undefined {
  const unpacked = join(folderOf(debian), 'usr', 'bin', commands[0]!);
  return findProgram(commands) ?? (existsSync(unpacked) ? unpacked : undefined);
}

/**
 * The absolute path of a program. Where it is not there yet its Debian package is unpacked into the tool cache: nothing is
 * installed, no service started, and no root is needed where apt-get has lists of packages already.
 * @throws Error that says what to install, where it cannot.
 */
export async function ensureUnpacked(
  program: SystemProgram,
  log: (line: string) => void = console.error,
): Promise<string> {
  const found = unpackedProgram(program);
  if (found) return found;
  const { commands, debian, why } = program;
  const missing = `${commands[0]} is needed (${why}) and is not on PATH`;
  if (!findProgram(['apt-get']) || !findProgram(['dpkg-deb']))
    throw new Error(
      `${missing}. Install it, for example: apt-get install ${debian}, or brew install ${debian}`,
    );
  const started = Date.now();
  log(`Fetching the Debian package ${debian} (${why}) into ${folderOf(debian)} …`);
  await mkdir(toolsFolder(), { recursive: true });
  const temporary = await mkdtemp(`${folderOf(debian)}.tmp-`);
  try {
    const problem = await download(debian, temporary);
    if (problem)
      throw new Error(`${missing}, and apt-get could not download ${debian}: ${problem}
Install it, for example: apt-get install ${debian}`);
    await rename(join(temporary, 'unpacked'), folderOf(debian)).catch((thrown: unknown) => {
      // Another run was faster.
      if (!unpackedProgram(program)) throw thrown;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  log(`  ${debian} is there after ${took(started)}.`);
  return unpackedProgram(program)!;
}

/** Unpacks into `FOLDER/unpacked`; answers what went wrong. */
async function download(debian: string, folder: string): Promise<string | undefined> {
  const get = () => capture('apt-get', [...BOUNDS, 'download', debian], { cwd: folder });
  let got = await get();
  if (got.code !== 0 && process.getuid?.() === 0) {
    await capture('apt-get', [...BOUNDS, 'update']);
    got = await get();
  }
  const file = (await readdir(folder)).find((name) => name.endsWith('.deb'));
  if (got.code !== 0 || !file) return got.output.trim().slice(-1000) || 'it got nothing';
  const unpacked = await capture('dpkg-deb', ['-x', join(folder, file), join(folder, 'unpacked')]);
  return unpacked.code === 0 ? undefined : unpacked.output.trim().slice(-1000);
}

function folderOf(debian: string): string {
  return join(toolsFolder(), `${debian}-debian-${process.arch}`);
}
