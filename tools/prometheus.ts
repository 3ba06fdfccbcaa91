/** A real Prometheus on a free port with data of its own, for tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureUnpacked } from './debian-package.ts';
import { PROMETHEUS } from './tasks/system.ts';

export interface PrometheusOptions {
  /** `host:port` by the name of its job: its `/metrics` is scraped five times a second. */
  scrape?: Record<string, string>;
  /** What its API is below of: `/prom`. */
  prefix?: string;
  /** Its web configuration (TLS, users), as its documentation has it. Then `url` begins with https where it names a certificate. */
  web?: Record<string, unknown>;
}

export interface Prometheus {
  /** With the prefix. */
  readonly url: string;
  /** It accepts connections and answers nothing, until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it as a crash does; `up` starts it again at the same address with what it had written down. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Why none can run here; undefined: one can, and is fetched. */
export async function prometheusProblem(): Promise<string | undefined> {
  return ensureUnpacked(PROMETHEUS).then(
    () => undefined,
    (thrown: unknown) => (thrown as Error).message,
  );
}

const STARTS_WITHIN_MS = 30_000;

/** Starts one, and answers when it is ready. What it scrapes is there some five seconds later: its discovery takes that long. */
export async function startPrometheus(options: PrometheusOptions = {}): Promise<Prometheus> {
  const program = await ensureUnpacked(PROMETHEUS);
  const folder = mkdtempSync(join(tmpdir(), 'muster-prometheus-'));
  const { prefix = '', web, scrape = {} } = options;
  const address = `127.0.0.1:${await freePort()}`;
  const secure = web !== undefined && 'tls_server_config' in web;
  const args = argumentsOf(folder, address, prefix);
  // Both are YAML, which every JSON is.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(configOf(scrape)));
  if (web) {
    writeFileSync(join(folder, 'web.yml'), JSON.stringify(web));
    args.push(`--web.config.file=${join(folder, 'web.yml')}`);
  }
  let child: ChildProcess | undefined;
  const killed = () => void child?.kill('SIGKILL');
  process.on('exit', killed);
  const up = async () => {
    child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    await listening(child);
  };
  const down = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((resolve) => child!.once('exit', resolve));
    child.kill('SIGKILL');
    await exit;
  };
  const stop = async () => {
    await down();
    process.off('exit', killed);
    rmSync(folder, { recursive: true, force: true });
  };
  await up().catch(async (thrown: unknown) => {
    await stop();
    throw thrown;
  });
  return {
    url: `http${secure ? 's' : ''}://${address}${prefix}`,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    down,
    up,
    stop,
  };
}

function argumentsOf(folder: string, address: string, prefix: string): string[] {
  return [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    `--web.route-prefix=${prefix || '/'}`,
    '--log.level=info',
  ];
}

function configOf(scrape: Record<string, string>) {
  return {
    global: { scrape_interval: '200ms', scrape_timeout: '200ms', evaluation_interval: '1m' },
    scrape_configs: Object.entries(scrape).map(([name, target]) => ({
      job_name: name,
      static_configs: [{ targets: [target] }],
    })),
  };
}

/** It says when it serves, which asks nothing of users or certificates. */
async function listening(child: ChildProcess): Promise<void> {
  let said = '';
  let ready = false;
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    if (ready) return;
    said = (said + text).slice(-20_000);
    ready = said.includes('Server is ready to receive web requests');
  });
  let failed: Error | undefined;
  child.once('error', (thrown) => (failed = thrown));
  for (const began = Date.now(); !ready; await sleep(20)) {
    if (failed) throw new Error(`prometheus did not start: ${failed.message}`);
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`prometheus ended: ${said.slice(-2000)}`);
    if (Date.now() - began > STARTS_WITHIN_MS)
      throw new Error(`prometheus was not ready in time: ${said.slice(-2000)}`);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
