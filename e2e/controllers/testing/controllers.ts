/** Controllers of other projects, built from their Go modules, beside a control plane. */
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type ControlPlane,
  type Running,
  conditionStatus,
  controllerPath,
  eventually,
  freePorts,
  startProcess,
} from '../../src/index.ts';
import type { Fleet } from '../../spine/fleet.ts';

/** Milliseconds that starting controllers may take, as it builds them when they are not cached. */
export const BUILDING = 30 * 60_000;

/** Running controllers; `stop` ends them. */
export interface Controllers {
  /** Folder of the programs. */
  readonly tools: string;
  readonly processes: Running[];
  stop(): Promise<void>;
}

/** Objects of an Application that differ from Git, or did until Muster put them back: what a controller writes is no drift. */
export async function drifted(fleet: Fleet, name: string): Promise<unknown[]> {
  const { resources } = await fleet.client.applications.resources('argocd', name);
  return resources.filter(({ drift, sync }) => drift !== undefined || sync !== 'Synced');
}

/** Argo Rollouts, ready to work. */
export async function startArgoRollouts(plane: ControlPlane): Promise<Controllers> {
  const program = await controllerPath('argo-rollouts');
  await installDefinitions(plane, join(dirname(program), 'manifests/crds'));
  const [metrics, healthz] = await freePorts(2);
  const running = await start(plane, program, [
    `--kubeconfig=${plane.kubeconfig}`,
    '--leader-elect=false',
    `--metricsPort=${metrics}`,
    `--healthzPort=${healthz}`,
  ]);
  await answers(running, `http://127.0.0.1:${healthz}/healthz`);
  return controllers(program, running);
}

/** Sealed Secrets, with a key of its own in kube-system. */
export async function startSealedSecrets(plane: ControlPlane): Promise<Controllers> {
  const program = await controllerPath('sealed-secrets');
  await installDefinitions(plane, join(dirname(program), 'helm/sealed-secrets/crds'));
  return controllers(program, await start(plane, program, []));
}

/** Flux's source-controller and kustomize-controller, which talk to each other on this machine. */
export async function startFlux(plane: ControlPlane): Promise<Controllers> {
  const program = await controllerPath('flux');
  const tools = dirname(program);
  await installDefinitions(plane, join(tools, 'config/crd/bases'));
  const [artifacts, sourceHealth, kustomizeHealth] = await freePorts(3);
  const storage = join(plane.dir, 'artifacts');
  await mkdir(storage, { recursive: true });
  const common = ['--watch-all-namespaces', '--metrics-addr=0', '--requeue-dependency=1s'];
  const source = await start(plane, program, [
    ...common,
    `--health-addr=127.0.0.1:${sourceHealth}`,
    `--storage-path=${storage}`,
    `--storage-addr=127.0.0.1:${artifacts}`,
    `--storage-adv-addr=127.0.0.1:${artifacts}`,
  ]);
  const kustomize = await start(plane, join(tools, 'kustomize-controller'), [
    ...common,
    '--feature-gates=CancelHealthCheckOnNewRevision=true',
    `--health-addr=127.0.0.1:${kustomizeHealth}`,
  ]);
  await answers(source, `http://127.0.0.1:${sourceHealth}/readyz`);
  await answers(kustomize, `http://127.0.0.1:${kustomizeHealth}/readyz`);
  return controllers(program, source, kustomize);
}

function controllers(program: string, ...processes: Running[]): Controllers {
  const stop = async () => void (await Promise.all(processes.map((running) => running.stop())));
  return { tools: dirname(program), processes, stop };
}

/** Applies every definition of a folder, and waits until all are served. */
async function installDefinitions({ kube }: ControlPlane, folder: string): Promise<void> {
  const files = (await readdir(folder)).filter(
    (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
  );
  const applied = (
    await Promise.all(files.map(async (name) => kube.apply(await readFile(join(folder, name), 'utf8'))))
  ).flat();
  for (const { metadata } of applied) {
    const type = 'apiextensions.k8s.io/v1/CustomResourceDefinition';
    await eventually(
      async () => conditionStatus(await kube.get(type, metadata.name), 'Established') === 'True',
      { what: `${metadata.name} to be served` },
    );
  }
}

function start(plane: ControlPlane, command: string, args: string[]): Promise<Running> {
  const name = command.slice(dirname(command).length + 1);
  const log = join(plane.dir, 'logs', `${name}.log`);
  return startProcess({ name, command, args, env: { KUBECONFIG: plane.kubeconfig }, log });
}

async function answers(running: Running, url: string): Promise<void> {
  await eventually(
    async () => {
      if (running.exit()) throw new Error(`${running.name} has ended: ${await running.tail()}`);
      return (await fetch(url)).ok;
    },
    { what: `${running.name} to be ready`, timeout: 60_000 },
  );
}
