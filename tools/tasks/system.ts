import { existsSync } from 'node:fs';
import { capture, took } from './context.ts';

/** A program of the system that a ring or the demo needs, and the Debian package that has it. */
export interface SystemProgram {
  commands: readonly string[];
  debian: string;
  why: string;
}

export const GIT: SystemProgram = { commands: ['git'], debian: 'git', why: 'sources are Git repositories' };
export const REDIS: SystemProgram = {
  commands: ['redis-server'],
  debian: 'redis-server',
  why: 'the queue is tested on Redis too',
};
export const SSHD: SystemProgram = {
  commands: ['sshd'],
  debian: 'openssh-server',
  why: 'repositories are read over SSH too',
};
export const CHROMIUM: SystemProgram = {
  commands: ['chromium', 'chromium-browser', 'google-chrome'],
  debian: 'chromium',
  why: 'the page is tested in a browser',
};
/** Only unpacked, never installed: see ../debian-package.ts. */
export const PROMETHEUS: SystemProgram = {
  commands: ['prometheus'],
  debian: 'prometheus',
  why: 'gates are tested with a real one',
};

/**
 * Finds a program on PATH; installs its Debian package when this is root on a system with apt-get.
 * @throws Error that says what to install, where it cannot.
 */
export async function ensureProgram(program: SystemProgram): Promise<string> {
  const found = findProgram(program.commands);
  if (found) return found;
  const name = program.commands[0];
  const asRoot = process.getuid?.() === 0;
  if (!asRoot || !findProgram(['apt-get'])) {
    throw new Error(
      `${name} is needed (${program.why}) and is not on PATH. Install it, for example: apt-get install ${program.debian}`,
    );
  }
  const started = Date.now();
  console.error(`Installing the Debian package ${program.debian} (${program.why}) …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = () =>
    capture('apt-get', ['install', '-y', '--no-install-recommends', program.debian], { env });
  let result = await install();
  if (result.code !== 0) {
    await capture('apt-get', ['update'], { env });
    result = await install();
  }
  const installed = findProgram(program.commands);
  if (!installed)
    throw new Error(`apt-get could not install ${program.debian}:\n${result.output.slice(-2000)}`);
  console.error(`  ${program.debian} is installed after ${took(started)}.`);
  return installed;
}

/** The absolute path of the first of the commands that is on PATH, or where servers are. */
export function findProgram(commands: readonly string[]): string | undefined {
  // Servers are often beside a user's PATH.
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  for (const dir of path.split(':')) {
    for (const command of commands) if (dir && existsSync(`${dir}/${command}`)) return `${dir}/${command}`;
  }
  return undefined;
}
