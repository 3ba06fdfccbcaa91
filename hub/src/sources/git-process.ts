import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';

/** Where and how system git runs: no configuration of the machine or the user reaches it. */
export interface GitEnvironment {
  /** HOME of git and ssh; holds the one configuration file. */
  home: string;
  allowFile: boolean;
}

export interface GitRun {
  cwd?: string;
  /** Extra variables: credentials for askpass, GIT_SSH_COMMAND. Never logged. */
  env?: Record<string, string>;
  signal?: AbortSignal;
  /** Default 60 s. */
  timeoutMs?: number;
  /** Default 16 MiB of output. */
  maxBytes?: number;
  input?: string;
}

// A file, not -c: git drops -c settings for the upload-pack that it starts on file:// repositories.
const CONFIG = `[safe]
	directory = *
[core]
	hooksPath = /dev/null
	askPass =
[gc]
	auto = 0
[maintenance]
	auto = false
[fetch]
	recurseSubmodules = false
	writeCommitGraph = false
[submodule]
	recurse = false
[credential]
	helper =
[http]
	lowSpeedLimit = 1000
	lowSpeedTime = 30
[init]
	defaultBranch = main
[advice]
	detachedHead = false
`;

const ASKPASS = `#!/bin/sh
case "$1" in
Username*) printf '%s\\n' "$MUSTER_GIT_USERNAME" ;;
*) printf '%s\\n' "$MUSTER_GIT_PASSWORD" ;;
esac
`;

/** Writes the configuration and the askpass program under `home` (mode 0700). */
export async function prepareGit(home: string, allowFile: boolean): Promise<GitEnvironment> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(join(home, 'gitconfig'), CONFIG, { mode: 0o600 });
  await writeFile(join(home, 'askpass'), ASKPASS, { mode: 0o700 });
  return { home, allowFile };
}

/** Starts git for a long-lived conversation; the caller ends it. */
export function startGit(git: GitEnvironment, args: string[], cwd: string): ChildProcessWithoutNullStreams {
  return spawn('git', args, { cwd, env: environment(git, {}), stdio: 'pipe' });
}

/** Runs git to its end. Throws MusterError: `limit` beyond time or output, `unavailable` otherwise, with git's own words. */
export async function runGit(git: GitEnvironment, args: string[], run: GitRun = {}): Promise<Buffer> {
  const timeout = AbortSignal.timeout(run.timeoutMs ?? 60_000);
  const signal = run.signal ? AbortSignal.any([run.signal, timeout]) : timeout;
  signal.throwIfAborted();
  // An own process group: ending git must end its ssh and remote helpers too.
  const child = spawn('git', args, {
    cwd: run.cwd,
    env: environment(git, run.env ?? {}),
    stdio: 'pipe',
    detached: true,
  });
  const end = () => killGroup(child.pid);
  signal.addEventListener('abort', end, { once: true });
  try {
    const { code, output, errors, overflow } = await collect(
      child,
      run.maxBytes ?? 16 * 1024 * 1024,
      run.input,
      end,
    );
    if (timeout.aborted)
      throw new MusterError('limit', `git ${args[0]} took longer than ${(run.timeoutMs ?? 60_000) / 1000} s`);
    run.signal?.throwIfAborted();
    if (overflow) throw new MusterError('limit', `git ${args[0]} wrote more than ${run.maxBytes} bytes`);
    if (code !== 0) throw new GitFailure(args.find((one) => !one.startsWith('-'))!, code, errors, output);
    return output;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** git said no; `stderr` is its own text (credentials never reach it: they are not in arguments or URLs). */
export class GitFailure extends MusterError {
  readonly stderr: string;
  readonly exitCode: number | null;
  /** What it wrote before it ended. */
  readonly output: Buffer;
  constructor(command: string, code: number | null, stderr: string, output: Buffer = Buffer.alloc(0)) {
    const line =
      stderr.split('\n').find((text) => /^(fatal|error):/.test(text)) ?? stderr.trim().split('\n')[0] ?? '';
    super('unavailable', `git ${command} failed${code === null ? '' : ` (${code})`}: ${line.slice(0, 500)}`);
    this.stderr = stderr;
    this.exitCode = code;
    this.output = output;
  }
}

function environment(git: GitEnvironment, extra: Record<string, string>): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
    HOME: git.home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(git.home, 'gitconfig'),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: join(git.home, 'askpass'),
    SSH_ASKPASS: '/bin/false',
    GIT_ALLOW_PROTOCOL: git.allowFile ? 'https:http:ssh:file' : 'https:http:ssh',
    GIT_OPTIONAL_LOCKS: '0',
    ...extra,
  };
}

function collect(
  child: ChildProcessWithoutNullStreams,
  maxBytes: number,
  input: string | undefined,
  end: () => void,
) {
  return new Promise<{ code: number | null; output: Buffer; errors: string; overflow: boolean }>(
    (resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      let errors = '';
      let overflow = false;
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxBytes) chunks.push(chunk);
        else if (!overflow) {
          overflow = true;
          end();
        }
      });
      child.stderr.on('data', (chunk: Buffer) => {
        if (errors.length < 16_384) errors += chunk.toString('utf8');
      });
      child.on('error', (cause) =>
        reject(new MusterError('unavailable', 'git cannot be started', { cause, hint: 'install git' })),
      );
      child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks), errors, overflow }));
      child.stdin.on('error', () => {});
      child.stdin.end(input ?? '');
    },
  );
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
