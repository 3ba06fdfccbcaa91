/** A real OpenSSH server on a free port that lets one key read repositories, for tests. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find((path) => existsSync(path));
/** Where OpenSSH's unprivileged half lives; a server started by root refuses to run without it. */
const PRIVILEGE_SEPARATION = '/run/sshd';

/** Why no server can run here; undefined: one can. */
export function sshdProblem(): string | undefined {
  if (!SSHD) return 'sshd is not installed (apt-get install openssh-server)';
  try {
    if (process.getuid?.() === 0) mkdirSync(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 });
    execFileSync(SSHD, ['-V'], { stdio: 'pipe' });
    return undefined;
  } catch (thrown) {
    const { stderr } = thrown as { stderr?: Buffer };
    // Before 9.2 there was no -V: its usage is printed all the same.
    return String(stderr ?? '').includes('OpenSSH') ? undefined : `sshd does not run here: ${String(thrown)}`;
  }
}

export interface SshServer {
  port: number;
  user: string;
  /** Its line of a known_hosts file. */
  knownHosts: string;
  /** Private keys: one that is let in, one that is not. */
  accepted: string;
  refused: string;
  stop(): Promise<void>;
}

/** Starts a server under `folder`; `hostKey` names the key it shows, `port` keeps that of an earlier one. */
export async function startSshServer(folder: string, hostKey: string, port?: number): Promise<SshServer> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of [hostKey, 'accepted', 'refused']) makeKey(join(folder, name));
  const authorised = join(folder, 'authorized_keys');
  writeFileSync(authorised, readFileSync(join(folder, 'accepted.pub')), { mode: 0o600 });
  const at = port ?? (await freePort());
  const config = join(folder, 'sshd_config');
  const lines = [
    `Port ${at}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, hostKey)}`,
    `AuthorizedKeysFile ${authorised}`,
    `PidFile ${join(folder, 'sshd.pid')}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'UsePAM no',
    // The folder is below a temporary one that everybody may write to.
    'StrictModes no',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawn(SSHD!, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`sshd ended: ${output}`);
      await answers(at);
    },
    { timeout: 10_000, interval: 20 },
  );
  const [type, key] = readFileSync(join(folder, `${hostKey}.pub`), 'utf8').split(' ');
  return {
    port: at,
    user: userInfo().username,
    knownHosts: `[127.0.0.1]:${at} ${type} ${key!.trim()}`,
    accepted: readFileSync(join(folder, 'accepted'), 'utf8'),
    refused: readFileSync(join(folder, 'refused'), 'utf8'),
    stop: () => ended(child),
  };
}

function makeKey(path: string): void {
  if (existsSync(path)) return;
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path]);
  chmodSync(path, 0o600);
}

function answers(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}
