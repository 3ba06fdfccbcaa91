import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, kubectlPath } from '../src/index.ts';
import { type AgentStage, applyByAgent, startStage } from './agent-stage.ts';
import { type Bench, type BenchContext, median, partOf } from './figure.ts';
import { namespaceNamed, objectsIn } from './objects.ts';

const ROUNDS = 3;
const run = promisify(execFile);

interface Round {
  kubectlMs: number;
  startMs: number;
  applyMs: number;
  dryRunMs: number;
}

/**
 * 500 ConfigMaps and 50 Deployments into fresh namespaces of one control plane, by kubectl and by the agent in turns.
 * The agent's time is what it logs of the sync: all requests of the apply, from the first to the last answer.
 */
export const apply: Bench = {
  name: 'apply',
  about: '500 ConfigMaps and 50 Deployments by the agent against kubectl apply --server-side',
  run: async (context) => {
    const stage = await startStage(context);
    try {
      const rounds: Round[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        context.log(`round ${i + 1} of ${ROUNDS}`);
        rounds.push(await oneRound(stage, context, i));
      }
      return figuresOf(rounds);
    } finally {
      await stage.stop();
    }
  },
};

/** Who goes first changes each time: later namespaces find a fuller etcd. */
async function oneRound(stage: AgentStage, context: BenchContext, i: number): Promise<Round> {
  const byAgent = async () => {
    const name = `agent-${i}`;
    await applyByAgent(stage, name);
    return await loggedTimes(stage.log, name);
  };
  const byKubectl = () => applyByKubectl(stage, context.dir, `kubectl-${i}`);
  if (i % 2 === 0) {
    const kubectl = await byKubectl();
    return { ...kubectl, ...(await byAgent()) };
  }
  const agent = await byAgent();
  return { ...agent, ...(await byKubectl()) };
}

async function applyByKubectl({ cluster }: AgentStage, dir: string, name: string) {
  await cluster.kube.apply(namespaceNamed(name));
  const file = join(dir, `${name}.json`);
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsIn(name) }));
  const kubectl = await kubectlPath();
  const started = performance.now();
  await run(kubectl, ['--kubeconfig', cluster.kubeconfig, 'apply', '--server-side', '-f', file], {
    maxBuffer: 64 * 2 ** 20,
  });
  const kubectlMs = performance.now() - started;
  // The Deployments are rolled out before the other's turn, which is measured alone.
  await eventually(
    async () => {
      const deployments = await cluster.kube.list('apps/v1/Deployment', name);
      return deployments.length === 50 && deployments.every(({ status }) => status?.readyReplicas === 1);
    },
    { what: "kubectl's Deployments", timeout: 240_000, interval: 500 },
  );
  const again = performance.now();
  await run(kubectl, ['version', '--client']);
  return { kubectlMs, startMs: performance.now() - again };
}

/** The agent's line for the first sync of an Application, which it writes about when it reports. */
async function loggedTimes(log: string, application: string) {
  const line = await eventually(
    async () => {
      const lines = (await readFile(log, 'utf8')).split('\n');
      return lines.find((text) => text.includes('"sync ended"') && text.includes(`/${application}"`));
    },
    { what: `the line of the agent's log about ${application}` },
  );
  const { dryRunMs, applyMs } = JSON.parse(line) as { dryRunMs: number; applyMs: number };
  return { dryRunMs, applyMs };
}

function figuresOf(rounds: Round[]) {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const kubectl = { name: 'kubectl apply', value: of((r) => r.kubectlMs) };
  const without = { name: 'kubectl without its start', value: of((r) => r.kubectlMs - r.startMs) };
  return [
    partOf(
      'apply: 550 objects',
      of((r) => r.applyMs),
      kubectl,
      of((r) => r.applyMs / r.kubectlMs),
      0.5,
    ),
    partOf(
      'apply: with a dry run before it',
      of((r) => r.dryRunMs + r.applyMs),
      kubectl,
      of((r) => (r.dryRunMs + r.applyMs) / r.kubectlMs),
      0.9,
    ),
    partOf(
      'apply: against kubectl without its start',
      of((r) => r.applyMs),
      without,
      of((r) => r.applyMs / (r.kubectlMs - r.startMs)),
    ),
  ];
}
