import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandResult } from '@muster/proto';
import type { ApplicationStatus, Operation, ResourceStatus } from '@muster/proto/records';
import { afterAll, afterEach, beforeAll } from 'vitest';
import {
  type ControlPlane,
  type KubeObject,
  type Running,
  eventually,
  startControlPlane,
} from '../../src/index.ts';
import { startAgent } from '../agent-process.ts';
import { TestHub } from './test-hub.ts';

type Settings = Record<string, string | undefined>;

/**
 * One control plane for a file; for each test its own hub's end and its own agent, which both end with the test.
 * The functions need no `this`, so that a file can take out those that it uses by name.
 */
export interface AgentFixture {
  readonly cluster: ControlPlane;
  /** A folder of this file. */
  readonly dir: string;
  readonly hub: TestHub;
  /** The agent that is stopped at the end of the test; a test that starts another one puts it here. */
  agent: Running;
  /** A hub's end without an agent; the next agent begins with an empty store. */
  openHub(): Promise<TestHub>;
  /** An empty store for the next agent. */
  newStore(): void;
  /** Where the agent of this test keeps its records. */
  readonly stateDir: string;
  /** The namespace that is the agent's own. */
  readonly agentNamespace: string;
  /** Starts an agent on the store of this test: the first one joins, a later one goes on. */
  start(settings?: Settings): Promise<Running>;
  /** A hub's end, and an agent that joins it. */
  joined(settings?: Settings): Promise<void>;
  /** An object of the namespace `default`. */
  find(kind: string, name: string): Promise<KubeObject | undefined>;
  /** Waits until an object of the namespace `default` is no longer there. */
  gone(kind: string, name: string): Promise<unknown>;
  operation(application: string): Operation | undefined;
  condition(application: string, type: string): string | undefined;
  resource(application: string, name: string, kind?: string): ResourceStatus | undefined;
  /** Waits until the operation of an Application is in a phase. */
  ended(application: string, phase: string): Promise<unknown>;
  /** Waits until an Application is as said and nothing runs. */
  settled(application: string, sync?: string, health?: string): Promise<ApplicationStatus>;
  /** Waits until an Application was reported gone. */
  reportedGone(application: string): Promise<unknown>;
  /** Waits for the answer to a command. */
  result(commandId: string): Promise<CommandResult>;
}

/** To be called at the top of a file; `name` names its control plane, `settings` are those of each agent. */
export function agentFixture(name: string, settings: Settings = {}): AgentFixture {
  let cluster: ControlPlane;
  let dir: string;
  let hub: TestHub;
  let agent: Running | undefined;
  let store = 0;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), `muster-${name}-`));
    cluster = await startControlPlane({ name, dir: join(dir, 'cluster') });
  });
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    await agent?.stop();
    hub?.kill();
  });

  const newStore = () => void store++;
  const openHub = async () => {
    newStore();
    return (hub = await TestHub.start());
  };
  const start = (more: Settings = {}) =>
    startAgent({
      log: join(dir, `agent-${store}.log`),
      env: {
        ...hub.environment(),
        KUBECONFIG: cluster.kubeconfig,
        MUSTER_AGENT_STORE: 'folder',
        MUSTER_AGENT_STATE_DIR: join(dir, `state-${store}`),
        MUSTER_AGENT_NAMESPACE: `${name}-${store}`,
        MUSTER_AGENT_LOG_LEVEL: 'debug',
        ...settings,
        ...more,
      },
    });
  return {
    get cluster() {
      return cluster;
    },
    get dir() {
      return dir;
    },
    get hub() {
      return hub;
    },
    get stateDir() {
      return join(dir, `state-${store}`);
    },
    get agentNamespace() {
      return `${name}-${store}`;
    },
    get agent() {
      return agent!;
    },
    set agent(running) {
      agent = running;
    },
    openHub,
    newStore,
    start,
    async joined(more) {
      await openHub();
      agent = await start(more);
    },
    ...questions(
      () => hub,
      () => cluster,
    ),
  };
}

/** What tests ask the hub's end and the control plane. */
function questions(hub: () => TestHub, cluster: () => ControlPlane) {
  const find = (kind: string, name: string) => cluster().kube.find(kind, `default/${name}`);
  const operation = (name: string) => hub().status(name)?.operation;
  return {
    find,
    operation,
    gone: (kind: string, name: string) =>
      eventually(async () => !(await find(kind, name)), { what: `${kind} ${name} to be gone` }),
    condition: (application: string, type: string) =>
      hub()
        .status(application)
        ?.conditions.find((each) => each.type === type)?.message,
    resource: (application: string, name: string, kind?: string) =>
      hub()
        .status(application)
        ?.resources.find((each) => each.name === name && (!kind || each.kind === kind)),
    ended: (name: string, phase: string) =>
      eventually((see) => see(operation(name))?.phase === phase, { what: `${name} to be ${phase}` }),
    settled: async (name: string, sync = 'Synced', health?: string) => {
      await eventually(
        (see) => {
          const status = see(hub().status(name));
          const healthy = health === undefined || status?.health === health;
          return status?.sync === sync && healthy && status.operation?.phase !== 'Running';
        },
        { what: `${name} to be ${sync}${health ? ` and ${health}` : ''}`, timeout: 60_000 },
      );
      return hub().status(name)!;
    },
    reportedGone: (name: string) =>
      eventually(() => hub().gone.some(({ applicationName }) => applicationName === name), {
        what: `${name} to be reported gone`,
      }),
    result: (id: string) => eventually(() => hub().results.get(id), { what: `an answer to ${id}` }),
  };
}
