import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { PUBLIC_KNOWN_HOSTS } from './known-hosts.ts';
import type { RepositoryUrl } from './repository-url.ts';

/** What a repository is read with; sealed at rest, never in arguments, URLs or logs. */
export type Credentials =
  | { kind: 'password'; username: string; password: string }
  | { kind: 'token'; token: string }
  | { kind: 'ssh'; privateKey: string };

export interface RemoteAccess {
  remote: RepositoryUrl;
  credentials?: Credentials | undefined;
  /** Lines as in a known_hosts file. */
  knownHosts?: string | undefined;
  /** Skips the check of TLS certificates and of SSH host keys. */
  insecure: boolean;
}

/**
 * Runs `use` with the environment that lets git authenticate. Key and host files exist (mode 0600) only while it runs.
 * Throws `invalid` for credentials that do not fit the protocol.
 */
export async function withCredentials<T>(
  access: RemoteAccess,
  folder: string,
  use: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const files: string[] = [];
  const temporary = async (content: string) => {
    const path = join(folder, randomUUID());
    files.push(path);
    await writeFile(path, content, { mode: 0o600, flag: 'wx' });
    return path;
  };
  try {
    if (access.remote.protocol === 'ssh') return await use(await sshEnvironment(access, temporary));
    return await use(httpEnvironment(access));
  } finally {
    await Promise.all(files.map((path) => rm(path, { force: true })));
  }
}

async function sshEnvironment(access: RemoteAccess, temporary: (content: string) => Promise<string>) {
  if (access.credentials && access.credentials.kind !== 'ssh') {
    throw new MusterError(
      'invalid',
      'a repository reached by ssh needs an SSH private key, not a password or token',
    );
  }
  const options = [
    '-F /dev/null',
    '-o BatchMode=yes',
    '-o IdentitiesOnly=yes',
    '-o IdentityAgent=none',
    '-o ConnectTimeout=20',
  ];
  if (access.credentials) {
    // OpenSSH refuses a key without its last line break.
    options.push(`-i ${await temporary(`${access.credentials.privateKey.trim().replaceAll('\r', '')}\n`)}`);
  } else {
    options.push('-o IdentityFile=none');
  }
  if (access.insecure) options.push('-o StrictHostKeyChecking=no', '-o UserKnownHostsFile=/dev/null');
  else
    options.push(
      '-o StrictHostKeyChecking=yes',
      `-o UserKnownHostsFile=${await temporary(`${PUBLIC_KNOWN_HOSTS}\n${access.knownHosts ?? ''}\n`)}`,
    );
  return { GIT_SSH_COMMAND: `ssh ${options.join(' ')}`, GIT_SSH_VARIANT: 'ssh' };
}

function httpEnvironment({ remote, credentials, insecure }: RemoteAccess): Record<string, string> {
  const settings: [string, string][] = [];
  if (insecure) settings.push(['http.sslVerify', 'false']);
  const env: Record<string, string> = {};
  if (credentials) {
    if (credentials.kind === 'ssh')
      throw new MusterError('invalid', `an SSH key does not open ${remote.protocol}:// repositories`);
    if (remote.protocol === 'file') return {};
    if (
      remote.protocol === 'http' &&
      !insecure &&
      !/^(127\.0\.0\.1|localhost|\[::1\])(:|$)/.test(remote.host)
    ) {
      throw new MusterError(
        'invalid',
        'credentials are not sent over http, where anyone on the way reads them',
        {
          hint: 'use https, or register the repository as insecure',
        },
      );
    }
    // Another host that the server redirects to must not be handed the password.
    settings.push(['http.followRedirects', 'false']);
    env.MUSTER_GIT_USERNAME = credentials.kind === 'password' ? credentials.username : 'x-access-token';
    env.MUSTER_GIT_PASSWORD = credentials.kind === 'password' ? credentials.password : credentials.token;
  } else {
    env.GIT_ASKPASS = '/bin/false';
  }
  env.GIT_CONFIG_COUNT = String(settings.length);
  settings.forEach(([key, value], i) => {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  });
  return env;
}
