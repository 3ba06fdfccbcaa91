import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerRequest, Ask, Command, CommandOutcome } from '@muster/proto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemActor } from '../../access/actor.ts';
import { AsksService } from '../../asks/asks.service.ts';
import { CommandsService } from '../../commands/commands.service.ts';
import { RolloutReads } from '../reads/rollout-reads.service.ts';
import { RolloutFixture, policy, setOverClusters } from '../rollouts.fixture.ts';
import { GatesRepository } from './gates.repository.ts';
import {
  Gateway,
  MetricsPage,
  type Prometheus,
  prometheusProblem,
  prometheusTool,
} from './prometheus.fixture.ts';

const NAMES = ['a', 'b', 'c'];
const MINUTE = 60_000;

const problem = await prometheusProblem();
if (problem) console.warn(`without a real Prometheus: ${problem}`);

let folder: string;
let on: RolloutFixture;
const metrics = new MetricsPage();
let prometheus: Prometheus | undefined;
const gateway = new Gateway(() => prometheus!.url.replace(/\/prom$/, ''), 'very-secret');
let gatewayUrl: string;

beforeAll(async () => {
  gatewayUrl = await gateway.listen();
  if (problem) return;
  const { startPrometheus } = await prometheusTool();
  prometheus = await startPrometheus({ prefix: '/prom', scrape: { shop: await metrics.listen() } });
});
afterAll(async () => {
  await prometheus?.stop();
  metrics.close();
  gateway.close();
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-cluster-gates-'));
  writeFileSync(join(folder, 'token'), 'very-secret\n');
  on = await RolloutFixture.start(folder, {
    MUSTER_PROMETHEUS_URL: `${gatewayUrl}/prom`,
    MUSTER_PROMETHEUS_TOKEN_FILE: join(folder, 'token'),
  });
  for (const name of NAMES)
    await on.join(name, { tier: name === 'c' ? 'rest' : 'canary', region: `r${name}` });
  await on.first(NAMES);
});
afterEach(async () => {
  await on?.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function goBy(gate: Record<string, unknown>, stage: Record<string, unknown> = {}): Promise<void> {
  const gated = { clusters: { matchLabels: { tier: 'canary' } }, gates: [{ name: 'g', ...gate }], ...stage };
  const spec = { stages: [{ name: 'canary', ...gated }, { name: 'rest' }] };
  await on.hub.apply([policy('p', spec), setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'p' })]);
  await on.settled();
}

async function canaryIsHealthy(): Promise<void> {
  await on.commit('second');
  for (const name of ['a', 'b']) await on.report(name);
}

const gate = async () => (await on.rollout()).stages[0]!.gates[0]!;
const commands = async () => {
  const rows = await on.db
    .selectFrom('commands')
    .selectAll()
    .where('verb', '=', 'run-job')
    .orderBy('id')
    .execute();
  return rows.map((row) => {
    const { verb, applicationName } = Command.decode(row.payload);
    if (verb?.$case !== 'runJob') throw new Error('no Job');
    return { id: row.id, clusterId: row.cluster_id, application: applicationName, ...verb.value };
  });
};
const answer = (to: { id: string; clusterId: string }, outcome: CommandOutcome, message: string) =>
  on.get(CommandsService).finish(to.clusterId, {
    commandId: to.id,
    outcome,
    message,
    finishedAtMs: BigInt(Date.now()),
    payloadSha256: Buffer.alloc(0),
  });

/** Publishes a number, and waits until Prometheus has it. */
async function publish(series: string, value: number): Promise<void> {
  metrics.series.set(series, value);
  await scraped(series, String(value));
}
async function scraped(series: string, value: string | undefined): Promise<void> {
  const read = async () => {
    const answer = await askReal(series);
    return (JSON.parse(answer) as { data: { result: { value: [number, string] }[] } }).data.result[0]
      ?.value[1];
  };
  while ((await read()) !== value) await sleep(50);
}
async function askReal(query: string): Promise<string> {
  const body = new URLSearchParams({ query });
  return (await fetch(`${prometheus!.url}/api/v1/query`, { method: 'POST', body })).text();
}

describe.skipIf(problem)('with a real Prometheus', () => {
  beforeEach(async () => {
    gateway.asked.length = 0;
    metrics.series.clear();
    for (const name of NAMES)
      await publish(`errors{cluster="${name}",region="r${name}",app="web-${name}"}`, 0);
  });

  test('the central one is asked for each cluster, and one that is bad takes the release back', async () => {
    const query =
      'sum(errors{cluster="{{cluster.name}}",region="{{cluster.labels.region}}",app="{{application.name}}"})';
    await goBy({ prometheus: { query, condition: '< 0.01', from: 'hub', interval: '1s' } }, { soak: '10m' });
    await canaryIsHealthy();
    await on.hub.eventually(async () =>
      expect((await gate()).last).toMatchObject({ verdict: 'ok', detail: 'a: 0; b: 0' }),
    );
    expect(gateway.asked[0]!.path).toBe('/prom/api/v1/query');
    expect(new Set(gateway.asked.map((one) => one.query))).toEqual(
      new Set(['a', 'b'].map((name) => `sum(errors{cluster="${name}",region="r${name}",app="web-${name}"})`)),
    );
    metrics.series.set('errors{cluster="b",region="rb",app="web-b"}', 0.5);
    await on.hub.eventually(async () => expect((await on.rollout()).phase).toBe('rolling-back'));
    expect((await on.rollout()).failure?.reason).toBe('"g" is not met: b: 0.5, not < 0.01');
  });

  test('no data is waited for, unless the policy says what it means; a query that is the same everywhere is asked once', async () => {
    await goBy({ prometheus: { query: 'sum(orders)', min: 1, from: 'hub', interval: '1s' } });
    await canaryIsHealthy();
    await on.hub.eventually(async () => expect((await gate()).last?.verdict).toBe('unknown'));
    const { lines } = await on.get(RolloutReads).get(systemActor, (await on.rollout()).id, { targets: 1 });
    expect(lines.join('\n')).toMatch(
      /"g" \(prometheus\), which cannot be measured: the query answers no data, since .*; needs sum\(orders\) >= 1/,
    );
    await publish('orders', 3);
    gateway.asked.length = 0;
    await on.hub.eventually(async () => expect((await on.states()).c).toBe('assigned'));
    expect(gateway.asked).toHaveLength(1);
  });

  test('one that is away in the middle of the soak proves nothing: the stage waits for it beyond its soak', async () => {
    await goBy(
      { prometheus: { query: 'sum(errors)', max: 0, from: 'hub', interval: '1s' } },
      { soak: '10m' },
    );
    await canaryIsHealthy();
    await on.hub.eventually(async () => expect((await gate()).last?.verdict).toBe('ok'));
    await prometheus!.down();
    await on.hub.eventually(async () => expect((await gate()).last?.verdict).toBe('unknown'));
    expect((await gate()).last!.detail).toMatch(/^Prometheus cannot be asked: no connection /);
    await on.pass(11 * MINUTE);
    expect((await on.rollout()).stages[0]!.step).toBe('end');
    expect((await on.states()).c).toBe('waiting');
    await prometheus!.up();
    await on.hub.eventually(async () => expect((await on.states()).c).toBe('assigned'));
  });

  for (const from of ['hub', 'cluster'])
    test(`with an initial delay, what is bad before it and who is not healthy for as long are left out (from: ${from})`, async () => {
      const query = 'sum(errors{cluster="{{cluster.name}}"})';
      await goBy(
        { prometheus: { query, max: 1, from, interval: '1s', initialDelay: '5m' } },
        { soak: '10m' },
      );
      const agents = playAgents(askReal);
      try {
        // What the old release did is what the query still sees.
        await publish('errors{cluster="a",region="ra",app="web-a"}', 7);
        await publish('errors{cluster="b",region="rb",app="web-b"}', 7);
        await on.commit('second');
        await on.report('a');
        await on.pass(4 * MINUTE);
        await on.report('b');
        expect(await on.db.selectFrom('gate_measurements').selectAll().execute()).toEqual([]);
        const { lines, progress } = await on
          .get(RolloutReads)
          .get(systemActor, (await on.rollout()).id, { targets: 1 });
        const { measuredFrom } = progress[0]!.gates[0]!;
        expect(lines.join('\n')).toContain(
          `which is measured from ${measuredFrom!.replace(/\.\d+Z$/, 'Z')} on`,
        );
        await publish('errors{cluster="a",region="ra",app="web-a"}', 0);
        await on.pass(MINUTE);
        await on.hub.eventually(async () => expect((await gate()).last?.detail).toMatch(/^(a: )?0$/));
        expect((await on.rollout()).phase).toBe('running');
        await on.pass(4 * MINUTE);
        await on.hub.eventually(async () => expect((await on.rollout()).phase).toBe('rolling-back'));
        expect((await on.rollout()).failure?.reason).toBe('"g" is not met: b: 7, not <= 1');
      } finally {
        await agents.stop();
      }
    });

  test('inside of clusters each agent is asked, and bad in one takes the release back by its name', async () => {
    const query = 'sum(errors{cluster="{{cluster.name}}"})';
    await goBy({ prometheus: { query, max: 1, interval: '1s' } }, { soak: '10m' });
    const agents = playAgents(askReal);
    try {
      await canaryIsHealthy();
      await on.hub.eventually(async () =>
        expect((await gate()).last).toMatchObject({ verdict: 'ok', detail: 'a: 0; b: 0' }),
      );
      metrics.series.set('errors{cluster="b",region="rb",app="web-b"}', 7);
      await on.hub.eventually(async () => expect((await on.rollout()).phase).toBe('rolling-back'));
      expect((await on.rollout()).failure?.reason).toBe('"g" is not met: b: 7, not <= 1');
      expect(gateway.asked).toEqual([]);
    } finally {
      await agents.stop();
    }
  });
});

/** Answers what clusters are asked, as their agents do. */
function playAgents(answerTo: (query: string) => Promise<string>) {
  const asks = on.get(AsksService);
  let going = true;
  const answering = (async () => {
    while (going) {
      const clusters = await on.db
        .selectFrom('asks')
        .select('cluster_id')
        .where('delivered_at', 'is', null)
        .execute();
      for (const { cluster_id: clusterId } of clusters) {
        for (const { id, payload } of await asks.toDeliver(clusterId)) {
          const { query } = Ask.decode(payload);
          if (query?.$case !== 'prometheus') throw new Error('no query');
          const data = Buffer.from(await answerTo(query.value.query));
          const arrival = await asks.arrive(clusterId, id);
          await arrival.put(AnswerRequest.fromPartial({ data }));
          await arrival.put(AnswerRequest.fromPartial({ end: { code: '', message: '', hint: '', cut: '' } }));
          arrival.close();
        }
      }
      await sleep(50);
    }
  })();
  return {
    stop: async () => {
      going = false;
      await answering;
    },
  };
}

const JOB = { apiVersion: 'batch/v1', kind: 'Job', spec: { template: { spec: { containers: [] } } } };
const said = (job: string, detail = '') => JSON.stringify({ job, detail });

test('a Job runs in each cluster by one command each, and all of them have to succeed', async () => {
  await goBy({ job: { manifest: JOB, deadline: '5m' } });
  await canaryIsHealthy();
  await on.hub.eventually(async () => expect(await commands()).toHaveLength(2));
  const [first, second] = (await commands()) as [
    Awaited<ReturnType<typeof commands>>[0],
    Awaited<ReturnType<typeof commands>>[0],
  ];
  expect(JSON.parse(first.manifest)).toEqual(JOB);
  expect([first.application, second.application, first.deadlineSeconds, first.resume]).toEqual([
    'web-a',
    'web-b',
    300,
    '',
  ]);
  await answer(first, CommandOutcome.SUCCEEDED, said('succeeded'));
  // Its agent was restarted: the next one looks for the Job of the first.
  await answer(second, CommandOutcome.UNKNOWN, 'cut off');
  await on.hub.eventually(async () => expect(await commands()).toHaveLength(3));
  const third = (await commands())[2]!;
  expect([third.application, third.resume]).toEqual(['web-b', second.id]);
  expect((await on.states()).c).toBe('waiting');
  await answer(third, CommandOutcome.SUCCEEDED, said('succeeded'));
  await on.hub.eventually(async () => expect((await on.states()).c).toBe('assigned'));
  expect(await commands()).toHaveLength(3);
});

test('a Job that fails takes the release back with its last words; run first takes one cluster', async () => {
  await goBy({ job: { manifest: JOB, run: 'first' } });
  await canaryIsHealthy();
  await on.hub.eventually(async () => expect(await commands()).toHaveLength(1));
  const [only] = await commands();
  await answer(
    only!,
    CommandOutcome.SUCCEEDED,
    said('failed', 'container main ended with 1 (Error): no such table'),
  );
  await on.hub.eventually(async () => expect((await on.rollout()).phase).toBe('rolling-back'));
  expect((await on.rollout()).failure?.reason).toBe(
    '"g" is not met: a: container main ended with 1 (Error): no such table',
  );
  expect(await commands()).toHaveLength(1);
  await on.pass(MINUTE);
  expect(await on.db.selectFrom('gate_measurements').selectAll().execute()).toEqual([]);
});

/** A set that no cluster has anything of yet. */
async function applyNew(name: string, absent: Record<string, unknown>): Promise<void> {
  const gates = [{ name: 'g', at: 'entry', job: { manifest: JOB, ...absent } }];
  const set = setOverClusters(on.hub, { 'muster.dev/rollout-policy': name });
  set.metadata.name = name;
  set.spec.template.metadata.name = `${name}-{{name}}`;
  await on.hub.apply([policy(name, { stages: [{ name: 'all', gates }] }), set]);
}

test('before the first deployment there is nothing to run a Job for: that is said at once', async () => {
  await applyNew('shop', {});
  await on.hub.eventually(async () => expect((await gate()).last?.verdict).toBe('unknown'));
  const { lines } = await on.get(RolloutReads).get(systemActor, (await on.rollout()).id, { targets: 1 });
  expect(lines.join('\n')).toContain(
    '"g" (job), which cannot be measured: a: the Application is not deployed there yet, so no Job can run for it',
  );
  await applyNew('site', { absent: 'ok' });
  await on.hub.eventually(async () => {
    expect(await on.rollouts()).toHaveLength(2);
    expect((await on.states()).a).toBe('assigned');
  });
  expect(await commands()).toEqual([]);
});

test('a Job that an agent refuses is not known, and says who refuses what', async () => {
  await on.db
    .updateTable('clusters')
    .set({ facts: JSON.stringify({ limits: { verbs: ['refresh', 'diff', 'inspect', 'logs'] } }) as never })
    .execute();
  await goBy({ job: { manifest: JOB } });
  await canaryIsHealthy();
  await on.hub.eventually(async () => expect((await gate()).last?.verdict).toBe('unknown'));
  expect((await gate()).last!.detail).toContain('does not accept run-job: it is set to observe-only');
  expect(await commands()).toEqual([]);
  // An agent of an earlier version is told apart from one that may not.
  await on.db
    .updateTable('clusters')
    .set({ facts: JSON.stringify({}) as never })
    .execute();
  const measured = on.get(GatesRepository);
  await on.db.transaction().execute(async (trx) => {
    const rows = await trx
      .updateTable('gate_measurements')
      .set({ due_at: new Date() })
      .returning('id')
      .execute();
    await measured.ask(
      trx,
      rows.map(({ id }) => id),
    );
  });
  await on.hub.eventually(async () => expect(await commands()).toHaveLength(2));
  for (const { clusterId } of await commands())
    expect(
      await on.get(CommandsService).toDeliver(clusterId, 'later', { features: ['ask'], version: '0.0.1' }),
    ).toEqual([]);
  const rows = await on.db
    .selectFrom('commands')
    .select(['outcome', 'message'])
    .where('verb', '=', 'run-job')
    .execute();
  expect(rows[0]).toEqual({
    outcome: 'refused',
    message: 'the agent (0.0.1) is too old for run-job: update its chart',
  });
});
