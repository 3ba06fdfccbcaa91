import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import type { Ports } from './components.ts';
import { freePorts, isFree } from './ports.ts';
import { processIdentity, stopRecorded } from './processes.ts';

export interface RecordedProcess {
  name: string;
  pid: number;
  /** Start time and command line: a later process with this number has another. */
  identity: string;
}

/** `state.json` of a control plane's folder: what a later run needs to resume it or to clean up after a crash. */
export interface ControlPlaneState {
  name: string;
  ports: Ports;
  /** The run that holds the folder; absent when the processes are meant to outlive it. */
  owner?: RecordedProcess;
  processes: RecordedProcess[];
}

const file = (dir: string) => join(dir, 'state.json');

export async function readState(dir: string): Promise<ControlPlaneState | undefined> {
  try {
    return JSON.parse(await readFile(file(dir), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new MusterError('internal', 'the state of a control plane cannot be read', {
      where: file(dir),
      hint: 'remove its folder',
      cause: error,
    });
  }
}

export async function writeState(dir: string, state: ControlPlaneState): Promise<void> {
  await writeFile(`${file(dir)}.new`, `${JSON.stringify(state, undefined, 2)}\n`);
  await rename(`${file(dir)}.new`, file(dir));
}

/** Undefined when the process has ended already. */
export function record(name: string, pid: number): RecordedProcess | undefined {
  const identity = processIdentity(pid);
  return identity === undefined ? undefined : { name, pid, identity };
}

/** Refuses a folder that another live run holds. */
export function refuseWhenHeld(dir: string, state: ControlPlaneState): void {
  const { owner } = state;
  if (!owner || owner.pid === process.pid || processIdentity(owner.pid) !== owner.identity) return;
  throw new MusterError('conflict', `the control plane "${state.name}" is in use by process ${owner.pid}`, {
    where: dir,
    hint: 'stop that run first',
  });
}

/** Stops what an earlier run left behind, the store last; answers how many processes there were. */
export async function stopLeftovers(state: ControlPlaneState): Promise<number> {
  let stopped = 0;
  const of = (...names: string[]) => state.processes.filter(({ name }) => names.includes(name));
  const rest = state.processes.filter(({ name }) => name !== 'etcd' && name !== 'kube-apiserver');
  for (const group of [rest, of('kube-apiserver'), of('etcd')]) {
    const found = await Promise.all(group.map(({ pid, identity }) => stopRecorded(pid, identity)));
    stopped += found.filter(Boolean).length;
  }
  return stopped;
}

/** The earlier ports where they are still free, so that kubeconfigs stay true; others in place of the rest. */
export async function choosePorts(earlier?: Ports): Promise<Ports> {
  const [api, etcd, etcdPeer, kubelet] = await freePorts(4);
  const fresh: Ports = { api: api!, etcd: etcd!, etcdPeer: etcdPeer!, kubelet: kubelet! };
  if (!earlier) return fresh;
  const keep = async (port: keyof Ports) =>
    earlier[port] && (await isFree(earlier[port])) ? earlier[port] : fresh[port];
  return {
    api: await keep('api'),
    etcd: await keep('etcd'),
    etcdPeer: await keep('etcdPeer'),
    kubelet: await keep('kubelet'),
  };
}
