import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { readState } from './control-plane-state.ts';
import { conditionStatus, KubeClient, type KubeError } from './kube.ts';
import { processIdentity, startProcess } from './processes.ts';
import { eventually } from './wait.ts';

let work: string;
let planes: ControlPlane[] = [];
const start = (name: string) => startControlPlane({ name, dir: join(work, name), labels: { env: name } });

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'muster-control-planes-'));
  planes = await Promise.all(['dev', 'staging', 'prod'].map(start));
});

afterAll(async () => {
  await Promise.all(planes.map((plane) => plane.stop()));
  await rm(work, { recursive: true, force: true });
});

const workload = (name: string, image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
  },
});

const job = (name: string, image: string) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } },
  },
});

describe('three control planes side by side', () => {
  test('each has its own server, store and administrator', async () => {
    expect(new Set(planes.map(({ server }) => server)).size).toBe(3);
    await planes[0]!.kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'only-in-dev' } });
    expect(await planes[0]!.kube.find('v1/Namespace', 'only-in-dev')).toBeDefined();
    expect(await planes[1]!.kube.find('v1/Namespace', 'only-in-dev')).toBeUndefined();
    const stranger = new KubeClient({
      ...planes[0]!.access,
      server: planes[1]!.server,
      ca: planes[1]!.access.ca,
    });
    await expect(stranger.list('v1/Secret')).rejects.toMatchObject({ status: 401 });
    await stranger.close();
  });

  test('a Deployment becomes Available on each, its pods on the fake nodes', async () => {
    await Promise.all(
      planes.map(async ({ name, kubeconfig }) => {
        const kube = KubeClient.fromKubeconfig(kubeconfig, name);
        await kube.apply(workload('web', 'nginx:1.29'));
        await eventually(
          async (see) =>
            conditionStatus(see(await kube.get('apps/v1/Deployment', 'default/web')), 'Available') === 'True',
          { what: `the Deployment on ${name} to be Available` },
        );
        const pods = await kube.list('v1/Pod', 'default', { labelSelector: 'app=web' });
        expect(pods).toHaveLength(2);
        for (const pod of pods) expect(['node-1', 'node-2']).toContain(pod.spec.nodeName);
        await kube.close();
      }),
    );
  });

  test('they start in seconds and share the memory of their binary', async () => {
    const memory = await Promise.all(planes.map((plane) => plane.memory()));
    for (const [index, { name, startedIn }] of planes.entries()) {
      const { rss, pss } = memory[index]!;
      console.log(
        `${name}: ready in ${startedIn} ms, ${mebi(pss)} MiB (${mebi(rss)} MiB with shared pages in full)`,
      );
    }
    if (process.platform === 'linux') for (const { pss } of memory) expect(mebi(pss)).toBeLessThan(600);
  });
});

describe('kwok', () => {
  test('a Job completes, and one whose image is tagged :failing fails', async () => {
    const { kube } = planes[0]!;
    await kube.apply([job('fine', 'tool:1'), job('bad', 'tool:failing')]);
    await eventually(
      async (see) =>
        conditionStatus(see(await kube.get('batch/v1/Job', 'default/fine')), 'Complete') === 'True',
      {
        what: 'the Job to complete',
      },
    );
    await eventually(
      async (see) => conditionStatus(see(await kube.get('batch/v1/Job', 'default/bad')), 'Failed') === 'True',
      {
        what: 'the Job to fail',
      },
    );
  });

  test('a pod whose image is tagged :broken never starts', async () => {
    const { kube } = planes[0]!;
    await kube.apply(workload('stuck', 'nginx:broken'));
    const waiting = await eventually(
      async (see) => {
        const pods = see(await kube.list('v1/Pod', 'default', { labelSelector: 'app=stuck' }));
        return pods[0]?.status.containerStatuses?.[0].state.waiting;
      },
      { what: 'the pod to wait for its image' },
    );
    expect(waiting.reason).toBe('ImagePullBackOff');
    expect(conditionStatus(await kube.get('apps/v1/Deployment', 'default/stuck'), 'Available')).toBe('False');
    await kube.delete('apps/v1/Deployment', 'default/stuck', 'Foreground');
    await eventually(async () => !(await kube.find('apps/v1/Deployment', 'default/stuck')), {
      what: 'the Deployment and its pods to go',
    });
  });
});

test('a ServiceAccount may do what RBAC gives it, and nothing else', async () => {
  const { kube } = planes[1]!;
  await kube.apply(`
apiVersion: v1
kind: ServiceAccount
metadata: { name: reader }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader }
rules: [{ apiGroups: [''], resources: [configmaps], verbs: [get, list] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
subjects: [{ kind: ServiceAccount, name: reader, namespace: default }]
`);
  const reader = kube.withToken(await kube.createToken('default/reader'));
  await eventually(() => reader.list('v1/ConfigMap', 'default'), { what: 'the role to be in force' });
  const refused = (error: KubeError) => error.status === 403 && error.reason === 'Forbidden';
  await expect(reader.list('v1/Secret', 'default')).rejects.toSatisfy(refused);
  await expect(reader.list('v1/ConfigMap', 'kube-system')).rejects.toSatisfy(refused);
  await expect(reader.apply(workload('mine', 'nginx:1'))).rejects.toSatisfy(refused);
  const forged = kube.withToken(`${reader.access.token}x`);
  await expect(forged.list('v1/ConfigMap', 'default')).rejects.toMatchObject({ status: 401 });
  await Promise.all([reader.close(), forged.close()]);
});

describe('a control plane that was killed', () => {
  test('starts again in its folder with its data, at the same address', async () => {
    const before = planes[2]!;
    await before.kube.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kept' },
      data: { a: '1' },
    });
    await before.kill();
    for (const pid of Object.values(before.pids)) expect(processIdentity(pid)).toBeUndefined();
    const after = await start('prod');
    planes[2] = after;
    expect(after.server).toBe(before.server);
    expect((await after.kube.get('v1/ConfigMap', 'default/kept')).data).toEqual({ a: '1' });
    await after.kube.scale('apps/v1/Deployment', 'default/web', 5);
    await eventually(
      async (see) =>
        see(await after.kube.get('apps/v1/Deployment', 'default/web')).status.availableReplicas === 5,
      { what: 'the Deployment to scale after the restart' },
    );
  });

  test('loses what was left running in its folder to the next start', async () => {
    const before = planes[2]!;
    const { processes } = (await readState(before.dir))!;
    expect(processes.map(({ name }) => name)).toEqual(Object.keys(before.pids));
    planes[2] = await start('prod');
    for (const { pid, identity } of processes) expect(processIdentity(pid)).not.toBe(identity);
    expect(await planes[2].kube.find('v1/ConfigMap', 'default/kept')).toBeDefined();
  });
});

test.runIf(process.platform === 'linux')(
  'a control plane ends when the run that started it is killed',
  async () => {
    const dir = join(work, 'orphan');
    const script = `import { startControlPlane } from '@muster/e2e';
    await startControlPlane({ name: 'orphan', dir: ${JSON.stringify(dir)} });
    await new Promise(() => setInterval(() => {}, 1000));`;
    const run = await startProcess({
      name: 'a run',
      command: process.execPath,
      args: ['--input-type=module', '-e', script],
      cwd: import.meta.dirname,
      log: join(work, 'orphan.log'),
    });
    const processes = await eventually(
      async () => {
        const state = await readState(dir);
        return state?.processes.length === 5 && state.processes;
      },
      { what: 'all of its processes to start' },
    );
    await expect(startControlPlane({ name: 'orphan', dir })).rejects.toThrow(/in use by process/);
    await run.kill();
    await eventually(() => processes.every(({ pid, identity }) => processIdentity(pid) !== identity), {
      what: 'its processes to end',
    });
  },
);

const mebi = (bytes: number) => Math.round(bytes / 1024 / 1024);
