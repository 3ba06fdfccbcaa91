/** What adoption is tested with: objects that other tools have really applied, and what must not move meanwhile. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { type KubeObject, eventually, helmPath, kubectlPath } from '../../src/index.ts';
import type { AgentFixture } from './fixture.ts';
import { configMap } from './objects.ts';
import { appliedClientSide, appliedServerSide, argocdMark, fluxMark } from './other-tools.ts';

export const CONFIG_MAP = 'v1/ConfigMap';
export const DEPLOYMENT = 'apps/v1/Deployment';
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export type Data = Record<string, string>;

export const inDefault = <T extends { metadata: object }>(object: T) =>
  ({ ...object, metadata: { ...object.metadata, namespace: 'default' } }) as unknown as KubeObject;

/** On the control plane of a file of tests. */
export function adoptionOn(fixture: AgentFixture) {
  const { find } = fixture;

  /** A ConfigMap as the controller of a tool applies it. */
  const applied =
    (apply: typeof appliedClientSide, mark: (object: KubeObject) => KubeObject, manager: string) =>
    (name: string, data: Data) =>
      apply(fixture.cluster.kube, mark(inDefault(configMap(name, data))), manager);
  const argocd = { adopt: 'argocd', by: 'Argo CD Application shop' };
  const flux = { adopt: 'flux', by: 'Flux Kustomization flux-system/apps' };

  /** A ConfigMap that a tool has applied, and how it is known and written. */
  const tools: [
    string,
    { adopt: string; by: string; make(name: string, data: Data): Promise<KubeObject> },
  ][] = [
    [
      'Argo CD, client-side',
      { ...argocd, make: applied(appliedClientSide, argocdMark, 'argocd-controller') },
    ],
    [
      'Argo CD, server-side',
      { ...argocd, make: applied(appliedServerSide, argocdMark, 'argocd-controller') },
    ],
    ['Flux', { ...flux, make: applied(appliedServerSide, fluxMark, 'kustomize-controller') }],
    ['Helm, client-side', { adopt: 'helm', by: 'Helm release default/', make: installed(false) }],
    ['Helm, server-side', { adopt: 'helm', by: 'Helm release default/', make: installed(true) }],
  ];

  /** What is really installed by the helm command, as a chart of one ConfigMap. */
  function installed(serverSide: boolean) {
    return async (name: string, data: Data): Promise<KubeObject> => {
      await helm('install', name, data, `--server-side=${serverSide}`);
      return (await find(CONFIG_MAP, name))!;
    };
  }

  async function helm(verb: 'install' | 'upgrade', name: string, data: Data, ...more: string[]) {
    const chart = join(fixture.dir, `chart-${name}`);
    await mkdir(join(chart, 'templates'), { recursive: true });
    await writeFile(join(chart, 'Chart.yaml'), stringify({ apiVersion: 'v2', name, version: '1.0.0' }));
    const object = configMap(name, data);
    const labels = { 'app.kubernetes.io/managed-by': 'Helm' };
    await writeFile(
      join(chart, 'templates', 'all.yaml'),
      stringify({ ...object, metadata: { ...object.metadata, labels } }),
    );
    const args = [verb, name, chart, '--namespace', 'default', ...more];
    await promisify(execFile)(await helmPath(), args, {
      env: { ...process.env, KUBECONFIG: fixture.cluster.kubeconfig, HELM_CACHE_HOME: fixture.dir },
    });
  }

  const assign = (name: string, objects: object[], more: { adopt?: string; options?: string[] } = {}) =>
    fixture.hub.assign({
      name,
      objects,
      policy: { options: more.options ?? [] },
      extra: { adopt: more.adopt ?? '' },
    });

  /** Whole Deployments with their ReplicaSets and Pods: what must not move when the owner changes. */
  async function workloadOf(name: string) {
    const { kube } = fixture.cluster;
    const selector = { labelSelector: `app=${name}` };
    const one = (await find(DEPLOYMENT, name))!;
    const sets = await kube.list('apps/v1/ReplicaSet', 'default', selector);
    const pods = await kube.list('v1/Pod', 'default', selector);
    return {
      uid: one.metadata.uid,
      template: one.spec.template,
      sets: sets.map(({ metadata }) => metadata.uid),
      pods: pods.map(({ metadata }) => metadata.uid).sort(),
      restarts: pods.map(({ status }) => status.containerStatuses?.[0]?.restartCount ?? 0),
    };
  }

  /** A client-side apply of today, by the merge of kubectl that Argo CD has built in. */
  async function kubectlApply(object: KubeObject, manager: string): Promise<void> {
    const file = join(fixture.dir, `${object.metadata.name}.yaml`);
    await writeFile(file, stringify(object));
    const args = [
      '--kubeconfig',
      fixture.cluster.kubeconfig,
      'apply',
      '--field-manager',
      manager,
      '-f',
      file,
    ];
    await promisify(execFile)(await kubectlPath(), args);
  }

  const runs = (name: string, replicas = 2) =>
    eventually(async () => (await find(DEPLOYMENT, name))?.status?.readyReplicas === replicas, {
      what: `${replicas} Pods of ${name} to be ready`,
    });

  return { tools, assign, workloadOf, kubectlApply, runs };
}

/** All but who owns it, its status, and the record, which kubectl writes in an order of its own. */
export function contentOf({ metadata, status: _status, ...rest }: KubeObject) {
  const { managedFields: _owners, resourceVersion: _version, generation: _generation, ...more } = metadata;
  const { [LAST_APPLIED]: _record, ...annotations } = metadata.annotations ?? {};
  return { ...rest, metadata: { ...more, annotations } };
}

const OTHERS = /argocd\.argoproj\.io|fluxcd\.io|meta\.helm\.sh/;
export const marksOf = ({ metadata: { labels, annotations } }: KubeObject) =>
  Object.fromEntries(Object.entries({ ...labels, ...annotations }).filter(([key]) => OTHERS.test(key)));
export const managersOf = (object: KubeObject) =>
  (object.metadata['managedFields'] as { manager: string; operation: string }[])
    .map(({ manager, operation: how }) => `${manager} ${how}`)
    .filter((each, index, all) => all.indexOf(each) === index)
    .sort();
