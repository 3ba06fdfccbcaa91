import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MusterError } from '@muster/base';
import { stringify } from 'yaml';
import {
  type Component,
  type Layout,
  podLog,
  serviceAddress,
  storeAndApi,
  workers,
  writeKwokFiles,
} from './components.ts';
import {
  type ControlPlaneState,
  choosePorts,
  readState,
  record,
  refuseWhenHeld,
  stopLeftovers,
  writeState,
} from './control-plane-state.ts';
import { type KubeAccess, KubeClient } from './kube.ts';
import { createNodes } from './nodes.ts';
import { ensurePki, type Pki } from './pki.ts';
import { processMemory, type Running, startProcess } from './processes.ts';
import { controlPlanePrograms, type Programs } from './tools.ts';
import { eventually } from './wait.ts';

export interface ControlPlaneOptions {
  name: string;
  /** Holds everything of it: keys, data, logs, kubeconfig, state. The same folder starts again with its data. */
  dir: string;
  /** Carried on the handle, for the cluster's registration. */
  labels?: Record<string, string>;
  /** Fake nodes; 2 unless told. */
  nodes?: number;
  /** Aborting it stops the control plane, whether it is starting or running. */
  signal?: AbortSignal;
  /** What is being built or waited for; standard error unless told. */
  log?: (line: string) => void;
  /** Lets it live on when this process ends; `stopControlPlane(dir)` ends it then. */
  outlive?: boolean;
}

/** A running control plane: etcd, API server, controller manager, scheduler, and kwok in place of kubelets. */
export interface ControlPlane {
  readonly name: string;
  readonly dir: string;
  readonly labels: Record<string, string>;
  /** Path of the administrator's kubeconfig; its context is called as the control plane. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT`; the same after a restart where the port is still free. */
  readonly server: string;
  /** The administrator's credentials. */
  readonly access: KubeAccess;
  /** A client with them. */
  readonly kube: KubeClient;
  /** What every container has written: lines of `TIME stdout F TEXT`, to be appended to by a test. */
  readonly podLog: string;
  readonly pids: Record<Component['name'], number>;
  readonly processes: Record<Component['name'], Running>;
  /** Milliseconds from the call to ready, without building. */
  readonly startedIn: number;
  /** Resident bytes of all its processes; `pss` counts shared pages once. */
  memory(): Promise<{ rss: number; pss: number }>;
  /** Ends it in order; its data stays. May be called twice. */
  stop(): Promise<void>;
  /** SIGKILL to all its processes at once. */
  kill(): Promise<void>;
}

/**
 * Starts a control plane, or resumes the one in `dir`; answers when Deployments can run. What an earlier run left alive
 * in `dir` is stopped first. Throws a MusterError `conflict` when a live run holds `dir`, `unavailable` with the log's
 * end when a program ends early.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { name, signal, log } = options;
  const dir = resolve(options.dir);
  const programs = await controlPlanePrograms({ log, signal });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const earlier = await readState(dir);
  if (earlier) {
    refuseWhenHeld(dir, earlier);
    await stopLeftovers(earlier);
  }
  const pki = await ensurePki(join(dir, 'pki'), {
    dns: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ],
    ips: ['127.0.0.1', serviceAddress],
  });
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts(attempt === 1 ? earlier?.ports : undefined);
    const start = new Start(
      { ...options, dir },
      { dir, pki, ports, kubeconfig: join(dir, 'kubeconfig') },
      programs,
    );
    try {
      return await start.run();
    } catch (error) {
      await start.kill();
      const portTaken = error instanceof MusterError && /address already in use/.test(error.message);
      if (!portTaken || attempt === 3 || signal?.aborted) throw error;
      log?.(`a port of the control plane "${name}" was taken meanwhile; trying others`);
    }
  }
}

/** Stops the control plane that a process which has ended left running in `dir`; answers whether there was one. */
export async function stopControlPlane(dir: string): Promise<boolean> {
  const state = await readState(resolve(dir));
  if (!state) return false;
  refuseWhenHeld(dir, state);
  return (await stopLeftovers(state)) > 0;
}

class Start {
  readonly #options: ControlPlaneOptions;
  readonly #layout: Layout;
  readonly #programs: Programs;
  readonly #processes: Running[] = [];
  readonly #state: ControlPlaneState;
  #stopping: Promise<void> | undefined;
  #kube: KubeClient | undefined;

  constructor(options: ControlPlaneOptions, layout: Layout, programs: Programs) {
    this.#options = options;
    this.#layout = layout;
    this.#programs = programs;
    const owner = options.outlive ? undefined : record('owner', process.pid);
    this.#state = { name: options.name, ports: layout.ports, owner, processes: [] };
  }

  async run(): Promise<ControlPlane> {
    const { name, dir, nodes = 2, labels = {}, signal } = this.#options;
    const started = Date.now();
    const server = `https://127.0.0.1:${this.#layout.ports.api}`;
    const access = await adminAccess(server, this.#layout.pki);
    const kube = new KubeClient(access);
    this.#kube = kube;
    await writeKubeconfig(this.#layout.kubeconfig, name, access);

    await writeKwokFiles(dir);
    for (const component of storeAndApi(this.#layout)) await this.#start(component);
    await this.#until(
      `the API server of "${name}"`,
      async (until) => (await kube.raw('GET', '/readyz', { signal: until })) === 'ok',
    );
    for (const component of workers(this.#layout)) await this.#start(component);
    await createNodes(kube, nodes, this.#layout.ports.kubelet);
    await this.#until(`the controllers of "${name}"`, () =>
      kube.find('v1/ServiceAccount', 'default/default'),
    );

    const stop = () => this.stop();
    if (signal) {
      signal.throwIfAborted();
      signal.addEventListener('abort', () => void stop(), { once: true });
    }
    const byName = Object.fromEntries(this.#processes.map((running) => [running.name, running]));
    return {
      name,
      dir,
      labels,
      kubeconfig: this.#layout.kubeconfig,
      server,
      access,
      kube,
      pids: Object.fromEntries(this.#processes.map((running) => [running.name, running.pid])),
      processes: byName,
      podLog: podLog(dir),
      startedIn: Date.now() - started,
      memory: () => this.#memory(),
      stop,
      kill: () => this.kill(),
    } as ControlPlane;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopInOrder();
    return this.#stopping;
  }

  async kill(): Promise<void> {
    await Promise.all(this.#processes.map((running) => running.kill()));
    await this.#forget();
  }

  async #start({ name, args, env }: Component): Promise<void> {
    const { dir, outlive } = this.#options;
    const command = this.#programs.path(name);
    const log = join(dir, 'logs', `${name}.log`);
    // See controlplane/parent_linux.go.
    const parent = { MUSTER_PARENT_PID: outlive ? undefined : String(process.pid) };
    const running = await startProcess({ name, command, args, env: { ...env, ...parent }, log, outlive });
    this.#processes.push(running);
    const recorded = record(name, running.pid);
    if (recorded) this.#state.processes.push(recorded);
    await writeState(dir, this.#state);
  }

  /** Waits, but not for what has ended: that fails at once with the end of its log. */
  async #until(what: string, look: (signal: AbortSignal) => unknown): Promise<void> {
    const over = new AbortController();
    const { signal } = this.#options;
    const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
    const died = this.#processes.map(async (running) => {
      const { code, signal: by } = await running.exited;
      const said = await running.tail(8);
      const ended = `${running.name} of "${this.#options.name}" ended (${by ?? `exit ${code}`}):\n${said}`;
      throw new MusterError('unavailable', ended, { where: running.log });
    });
    try {
      const ready = eventually(() => look(either), { what, timeout: 90_000, interval: 50, signal: either });
      await Promise.race([ready, ...died]);
    } finally {
      over.abort();
      for (const end of died) end.catch(() => {});
    }
  }

  async #stopInOrder(): Promise<void> {
    const of = (...names: string[]) => this.#processes.filter(({ name }) => names.includes(name));
    await this.#kube?.close();
    // These keep nothing, so nothing is lost by not waiting for their leave-taking.
    await Promise.all(
      of('kwok', 'kube-scheduler', 'kube-controller-manager').map((running) => running.stop(500)),
    );
    await Promise.all(of('kube-apiserver').map((running) => running.stop(5_000)));
    await Promise.all(of('etcd').map((running) => running.stop(5_000)));
    await this.#forget();
  }

  async #forget(): Promise<void> {
    await writeState(this.#options.dir, { ...this.#state, owner: undefined, processes: [] });
    await this.#kube?.close();
  }

  async #memory(): Promise<{ rss: number; pss: number }> {
    const each = await Promise.all(this.#processes.map(({ pid }) => processMemory(pid)));
    const sum = (of: 'rss' | 'pss') => each.reduce((total, memory) => total + memory[of], 0);
    return { rss: sum('rss'), pss: sum('pss') };
  }
}

async function adminAccess(server: string, pki: Pki): Promise<KubeAccess> {
  const [ca, cert, key] = await Promise.all(
    [pki.caCert, pki.adminCert, pki.adminKey].map((path) => readFile(path, 'utf8')),
  );
  return { server, ca: ca!, cert, key };
}

/** Writes a kubeconfig with everything inside it, for `name` as context, cluster and user. */
export async function writeKubeconfig(path: string, name: string, access: KubeAccess): Promise<void> {
  const base64 = (pem?: string) => pem && Buffer.from(pem).toString('base64');
  const user = {
    'client-certificate-data': base64(access.cert),
    'client-key-data': base64(access.key),
    token: access.token,
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: access.server, 'certificate-authority-data': base64(access.ca) } }],
    users: [{ name, user: JSON.parse(JSON.stringify(user)) }],
  };
  await writeFile(path, stringify(config, { lineWidth: 0 }), { mode: 0o600 });
}
