import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TestHub } from '../agent/testing/test-hub.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { AGENT_FLAGS, type ControlPlane, eventually, processMemory, type Running } from '../src/index.ts';
import { startControlPlane, startProcess } from '../src/index.ts';
import { buildAgent } from './bundles.ts';
import type { BenchContext } from './figure.ts';
import { namespaceNamed, objectsIn } from './objects.ts';

/** A fresh control plane and one agent (its bundle, with the flags of its image) that hears a hub of the tests. */
export interface AgentStage {
  cluster: ControlPlane;
  hub: TestHub;
  agent: Running;
  /** Where the agent logs. */
  log: string;
  stop(): Promise<void>;
}

export async function startStage({ dir, log, signal }: BenchContext): Promise<AgentStage> {
  await mkdir(dir, { recursive: true });
  const bundle = await buildAgent(signal);
  log('starting a control plane');
  const cluster = await startControlPlane({ name: 'bench', dir: join(dir, 'cluster'), log });
  const hub = await TestHub.start();
  const agentLog = join(dir, 'agent.log');
  const agent = await startProcess({
    name: 'agent',
    command: process.execPath,
    args: [...AGENT_FLAGS, bundle],
    log: agentLog,
    env: {
      ...hub.environment(),
      KUBECONFIG: cluster.kubeconfig,
      MUSTER_AGENT_STORE: 'folder',
      MUSTER_AGENT_STATE_DIR: join(dir, 'state'),
      MUSTER_AGENT_HEALTH_PORT: '0',
    },
  });
  const stop = async () => {
    await agent.stop();
    hub.kill();
    await cluster.stop();
  };
  try {
    await eventually(() => hub.connected, { what: 'the session of the agent', timeout: 60_000, signal });
    return { cluster, hub, agent, log: agentLog, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Assigns the load to the agent as one Application in a fresh namespace, and waits until it is healthy. */
export async function applyByAgent({ cluster, hub }: AgentStage, name: string): Promise<void> {
  await cluster.kube.apply(namespaceNamed(name));
  await hub.assign({ name, namespace: name, objects: objectsIn(name) });
  await eventually(() => hub.status(name)?.health === 'Healthy', {
    what: `the Application ${name} to be healthy`,
    timeout: 240_000,
  });
}

/** RSS in MB once it has not grown by a hundredth in two looks; at most 40 s. */
export async function settledMegabytes(pid: number): Promise<number> {
  let last = 0;
  let quiet = 0;
  for (let round = 0; round < 20 && quiet < 2; round++) {
    await sleep(2_000);
    const { rss } = await processMemory(pid);
    if (rss === 0) throw new Error('the memory of a process can only be read on Linux');
    quiet = rss <= last * 1.01 ? quiet + 1 : 0;
    last = rss;
  }
  return last / 1e6;
}
