import type { RolloutDetail } from '@muster/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { applicationSet, configMap, rolloutPolicy } from './testing/documents.ts';
import { type Prometheus, prometheusProblem, startPrometheus } from '../../tools/prometheus.ts';
import { MetricsPage } from './testing/metrics-page.ts';
import { rollout } from './testing/rollouts.ts';

let fleet: Fleet;
const metrics = new MetricsPage();
let prometheus: Prometheus | undefined;
const problem = await prometheusProblem();
if (problem) console.warn(`without a real Prometheus: ${problem}`);

beforeAll(async () => {
  for (const cluster of ['canary', 'rest'])
    metrics.series.set(`errors{cluster="${cluster}",app="web-${cluster}"}`, 0);
  if (!problem) prometheus = await startPrometheus({ scrape: { shop: await metrics.listen() } });
  fleet = await startFleet({
    env: { MUSTER_POLL_SECONDS: '3600' },
    clusters: { canary: { ring: 'canary' }, rest: { ring: 'rest' } },
    values: { prometheus: { url: prometheus?.url ?? '' } },
  });
});
afterAll(async () => {
  await fleet?.stop();
  await prometheus?.stop();
  metrics.close();
});

const set = (name: string) =>
  applicationSet(fleet.repository.url, name, {
    generators: [{ clusters: {} }],
    applicationName: `${name}-{{name}}`,
    source: { path: name },
    destination: { name: '{{name}}', namespace: name },
    annotations: { 'muster.dev/rollout-policy': name },
  });
const policy = (name: string, soak: string, ...gates: Record<string, unknown>[]) =>
  rolloutPolicy(name, {
    stages: [
      { name: 'canary', clusters: { matchLabels: { ring: 'canary' } }, soak, gates },
      { name: 'rest' },
    ],
  });
const push = (name: string, value: string) =>
  fleet.push({ [`${name}/settings.yaml`]: configMap('settings', { value }) }, `${name} ${value}`);
const valueIn = async (cluster: string, name: string) =>
  (await fleet.kube(cluster).find('v1/ConfigMap', `${name}/settings`))?.data?.value as string | undefined;
const values = (name: string) => Promise.all(['canary', 'rest'].map((cluster) => valueIn(cluster, name)));
const phase = (name: string, sha: string, wanted: RolloutDetail['phase']) =>
  rollout(fleet, name, sha, `to be ${wanted}`, (found) => found.phase === wanted);
const gateOf = ({ progress }: RolloutDetail) => progress[0]!.gates[0]!;

it.skipIf(problem)(
  'a canary whose own Prometheus says that it is bad goes back, and nobody else ever got the release',
  async () => {
    const query = 'sum(errors{cluster="{{cluster.name}}",app="{{application.name}}"})';
    const asks = { name: 'errors', prometheus: { query, max: 0.1, interval: '1s' } };
    const first = await push('web', 'first');
    await fleet.apply(policy('web', '2s', asks), set('web'));
    await phase('web', first, 'completed');
    expect(await values('web')).toEqual(['first', 'first']);

    await fleet.apply(policy('web', '1h', asks));
    const second = await push('web', 'second');
    const soaking = await rollout(fleet, 'web', second, 'to be measured', (found) => gateOf(found).last);
    expect(gateOf(soaking).last).toMatchObject({ verdict: 'ok', detail: 'canary: 0' });
    expect(await values('web')).toEqual(['second', 'first']);
    // Elsewhere nobody looks.
    metrics.series.set('errors{cluster="rest",app="web-rest"}', 5);
    metrics.series.set('errors{cluster="canary",app="web-canary"}', 0.7);
    const back = await phase('web', second, 'rolled-back');
    expect(back.failure).toBe('"errors" is not met: canary: 0.7, not <= 0.1');
    expect(await values('web')).toEqual(['first', 'first']);
    const { transitions, same } = await fleet.client.rollouts.replay(back.id);
    expect(same).toBe(true);
    expect(transitions.filter(({ subject }) => subject.includes('@rest'))).toEqual([]);
  },
);

const job = (tag: string) => ({
  name: 'smoke',
  job: {
    deadline: '2m',
    manifest: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      spec: {
        backoffLimit: 0,
        template: {
          spec: { restartPolicy: 'Never', containers: [{ name: 'smoke', image: `shop/smoke:${tag}` }] },
        },
      },
    },
  },
});
const jobs = () => fleet.kube('canary').list('batch/v1/Job', 'jobs');

it('a Job that succeeds in the canary lets the rest follow, and is gone', async () => {
  const first = await push('jobs', 'first');
  await fleet.apply(policy('jobs', '0s', job('1')), set('jobs'));
  await phase('jobs', first, 'completed');
  expect(await values('jobs')).toEqual(['first', 'first']);
  await eventually(async () => (await jobs()).length === 0, { what: 'the Job to be deleted' });
});

it('a Job is made once and found again when its agent was killed meanwhile; one that fails takes the release back', async () => {
  // Its Pod never starts by itself.
  await fleet.apply(policy('jobs', '0s', job('broken')));
  const second = await push('jobs', 'second');
  const [made] = await eventually(async () => ((await jobs()).length > 0 ? jobs() : undefined), {
    what: 'the Job',
  });
  await fleet.member('canary').agent.kill();
  await fleet.startAgent('canary');
  await fleet.connected('canary');
  const [pod] = await fleet.kube('canary').list('v1/Pod', 'jobs');
  const terminated = { exitCode: 3, reason: 'Error', message: 'trying\nno such table: orders' };
  const containerStatuses = [
    { name: 'smoke', image: 'shop/smoke:broken', ready: false, restartCount: 0, state: { terminated } },
  ];
  await fleet
    .kube('canary')
    .patch(
      'v1/Pod',
      `jobs/${pod!.metadata.name}`,
      { status: { phase: 'Failed', containerStatuses } },
      { subresource: 'status' },
    );
  const back = await phase('jobs', second, 'rolled-back');
  expect(back.failure).toContain('"smoke" is not met: canary: ');
  expect(back.failure).toContain('container smoke ended with 3 (Error): trying\nno such table: orders');
  expect(await values('jobs')).toEqual(['first', 'first']);
  const commands = (await fleet.sql(`select id from commands where verb = 'run-job' order by id`)) as {
    id: string;
  }[];
  expect(made!.metadata.name).toBe(`muster-gate-${commands[1]!.id}`);
  expect(commands).toHaveLength(3);
  await eventually(async () => (await jobs()).length === 0, { what: 'the Job to be deleted' });
});
