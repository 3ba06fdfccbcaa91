import { spawn, spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';

export interface ProcessOptions {
  /** How messages call it. */
  name: string;
  command: string;
  args?: string[];
  /** On top of this process's own environment; an undefined value removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** File that gets its standard output and error, appended. */
  log: string;
  /** Lets it live on when this process exits; otherwise it is killed then. */
  outlive?: boolean;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A started program. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  /** Settles when it has ended; never rejects. */
  readonly exited: Promise<Exit>;
  /** How it ended; undefined while it runs. */
  exit(): Exit | undefined;
  /** SIGTERM, and SIGKILL when it is not gone after `graceMs` (5 000 unless told). */
  stop(graceMs?: number): Promise<Exit>;
  /** SIGKILL, as a crash would be. */
  kill(): Promise<Exit>;
  /** The last lines that it logged itself. */
  tail(lines?: number): Promise<string>;
}

const living = new Map<number, Running>();
process.on('exit', () => {
  for (const pid of living.keys()) signalProcess(pid, 'SIGKILL');
});

/**
 * Starts a program in a process group of its own, so that Ctrl-C reaches only the harness, which
 * then stops things in order. It is killed when this process exits; should this process be killed, only
 * a program that looks after itself ends too (the control planes' do on Linux, by MUSTER_PARENT_PID).
 */
export async function startProcess(options: ProcessOptions): Promise<Running> {
  const { name, command, args = [], cwd, log, outlive = false } = options;
  await mkdir(dirname(log), { recursive: true });
  const out = openSync(log, 'a');
  const { size: before } = fstatSync(out);
  const env = { ...process.env, ...options.env };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', out, out], detached: true });
  closeSync(out);
  if (child.pid === undefined) {
    const error = await new Promise<Error>((answer) => child.once('error', answer));
    throw new MusterError('unavailable', `${name} did not start: ${error.message}`, { where: command });
  }
  const pid = child.pid;
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((answer) => {
    child.once('exit', (code, signal) => {
      living.delete(pid);
      exit = { code, signal };
      answer(exit);
    });
  });
  if (outlive) child.unref();
  const running: Running = {
    name,
    pid,
    log,
    exited,
    exit: () => exit,
    stop: async (graceMs = 5_000) => {
      child.ref();
      if (!exit) signalProcess(pid, 'SIGTERM');
      const late = setTimeout(() => !exit && signalProcess(pid, 'SIGKILL'), graceMs);
      return exited.finally(() => clearTimeout(late));
    },
    kill: () => {
      child.ref();
      if (!exit) signalProcess(pid, 'SIGKILL');
      return exited;
    },
    tail: (lines = 20) => tailOf(log, lines, before),
  };
  if (!outlive) living.set(pid, running);
  return running;
}

/** What tells this process from a later one with the same number; undefined when there is none. */
export function processIdentity(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    const answer = spawnSync('ps', ['-o', 'lstart=,command=', '-p', String(pid)], { encoding: 'utf8' });
    return answer.stdout?.trim() || undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined; // ended, its parent has not looked yet
    return `${fields[19]} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`;
  } catch {
    return undefined;
  }
}

/** Ends a process of an earlier run when it still is the one recorded; answers whether it was. */
export async function stopRecorded(pid: number, identity: string): Promise<boolean> {
  if (processIdentity(pid) !== identity) return false;
  signalProcess(pid, 'SIGTERM');
  for (const start = Date.now(); processIdentity(pid) === identity; await sleep(20)) {
    if (Date.now() - start > 5_000) signalProcess(pid, 'SIGKILL');
  }
  return true;
}

/** Resident memory in bytes: `rss` counts shared pages in full, `pss` divides them among their users. Linux only, else zeros. */
export async function processMemory(pid: number): Promise<{ rss: number; pss: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { rss: kilobytes('Rss') * 1024, pss: kilobytes('Pss') * 1024 };
}

/** The last lines of a log file after the byte `from`; empty when there is none. */
export async function tailOf(log: string, lines: number, from = 0): Promise<string> {
  const bytes = await readFile(log).catch(() => Buffer.alloc(0));
  return bytes.subarray(from).toString().trimEnd().split('\n').slice(-lines).join('\n');
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already, which is what was wanted.
  }
}
