import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemActor } from '../../access/actor.ts';
import { RolloutFixture, policy, setOverClusters } from '../rollouts.fixture.ts';
import { RolloutReads } from '../reads/rollout-reads.service.ts';
import { RolloutsService } from '../rollouts.service.ts';
import { GatesService } from './gates.service.ts';

const NAMES = ['a', 'b'];
const MINUTE = 60_000;

/** A page that says what the test wants, and remembers how it was asked. */
class Page {
  status = 200;
  body = '{"status":"ok"}';
  location: string | undefined;
  readonly asked: { path: string; method: string; key: string | undefined }[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const key = request.headers['x-key'] as string | undefined;
      this.asked.push({ path: request.url!, method: request.method!, key });
      response.writeHead(this.status, this.location ? { location: this.location } : {}).end(this.body);
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let folder: string;
let page: Page;
let on: RolloutFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-gates-'));
  page = new Page();
  await page.listen();
  mkdirSync(join(folder, 'headers'));
  writeFileSync(join(folder, 'headers', 'page'), 'X-Key: very-secret-value\n');
  on = await RolloutFixture.start(folder, {
    MUSTER_GATE_HOSTS: page.host,
    MUSTER_GATE_HEADERS_DIR: join(folder, 'headers'),
  });
  for (const name of NAMES) await on.join(name, { tier: name === 'a' ? 'canary' : 'rest' });
  await on.first(NAMES);
});
afterEach(async () => {
  await on?.hub.stop();
  page.close();
  rmSync(folder, { recursive: true, force: true });
});

async function goBy(gate: Record<string, unknown>, stage: Record<string, unknown> = {}): Promise<void> {
  const gated = { clusters: { matchLabels: { tier: 'canary' } }, gates: [{ name: 'g', ...gate }], ...stage };
  const spec = { stages: [{ name: 'canary', ...gated }, { name: 'rest' }] };
  await on.hub.apply([policy('p', spec), setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'p' })]);
  await on.settled();
}

const http = (more: Record<string, unknown> = {}) => ({
  http: { url: `http://${page.host}/up?x=1`, interval: '1s', ...more },
});
const get = async () => on.get(RolloutReads).get(systemActor, (await on.rollout()).id, { targets: 100 });
const rows = () => on.db.selectFrom('gate_measurements').selectAll().execute();
const gateState = async () => (await on.rollout()).stages[0]!.gates[0]!;

test('a page is asked while the canary soaks, with headers that nobody is shown, and lets the rest follow', async () => {
  await goBy(http({ headersFrom: 'page', body: { json: '$.status', equals: 'ok' } }), { soak: '10m' });
  await on.commit('second');
  expect(await rows()).toEqual([]);
  await on.report('a');
  await on.hub.eventually(async () => expect((await gateState()).good).toBeGreaterThan(1));
  expect(page.asked[0]).toEqual({ path: '/up?x=1', method: 'GET', key: 'very-secret-value' });
  const shown = await get();
  expect(shown.lines.join('\n')).toContain('"g" (http): now ok, it answered 200');
  expect(shown.progress[0]!.gates).toMatchObject([
    { name: 'g', kind: 'http', status: 'open', last: { verdict: 'ok', detail: 'it answered 200' } },
  ]);
  expect(JSON.stringify(shown)).not.toMatch(/very-secret|x=1/);
  expect((await on.states()).b).toBe('waiting');
  await on.pass(11 * MINUTE);
  await on.hub.eventually(async () => expect((await on.states()).b).toBe('assigned'));
  expect(await rows()).toEqual([]);
  await on.report('b');
  expect((await on.rollout()).phase).toBe('completed');
});

test('a page that turns bad during the soak takes the release back, and the reason is told', async () => {
  await goBy(http({ failures: 1 }), { soak: '10m' });
  const first = await on.digests(...NAMES);
  await on.commit('second');
  await on.report('a');
  await on.hub.eventually(async () => expect((await gateState()).last?.verdict).toBe('ok'));
  // Where it leads to is not asked.
  page.status = 302;
  page.location = `http://${page.host}/elsewhere`;
  await on.hub.eventually(async () => expect((await on.rollout()).phase).toBe('rolling-back'));
  expect((await on.rollout()).failure?.reason).toBe('"g" is not met: it answered 302, not 200');
  expect(await on.digests(...NAMES)).toEqual(first);
  expect(page.asked.map(({ path }) => path)).not.toContain('/elsewhere');
  expect(await rows()).toEqual([]);
  await on.report('a');
  expect((await on.rollout()).phase).toBe('rolled-back');
});

test('only hosts that the hub lists are asked, and only headers that it has: else the policy is refused', async () => {
  const code = 'precondition';
  await expect(goBy({ http: { url: 'https://shop.example.org/health' } })).rejects.toMatchObject({
    code,
    message: `stage "canary", gate "g": shop.example.org is no host that gates may ask (MUSTER_GATE_HOSTS lists ${page.host})`,
  });
  await expect(goBy(http({ headersFrom: 'other' }))).rejects.toMatchObject({
    code,
    message: 'stage "canary", gate "g": headers "other" cannot be read',
  });
  await expect(goBy({ prometheus: { query: 'up', min: 1, from: 'hub' } })).rejects.toMatchObject({
    code,
    message: 'stage "canary", gate "g": the hub has no Prometheus (MUSTER_PROMETHEUS_URL)',
  });
});

test('what cannot be measured waits and says why; skip lets it go on', async () => {
  await goBy(http({ headersFrom: 'page' }));
  rmSync(join(folder, 'headers', 'page'));
  await on.commit('second');
  await on.report('a');
  await on.hub.eventually(async () => expect((await gateState()).last?.verdict).toBe('unknown'));
  const { lines, progress } = await get();
  expect(lines.join('\n')).toMatch(
    /"g" \(http\), which cannot be measured: headers "page" cannot be read, since /,
  );
  expect(progress[0]!.gates[0]).toMatchObject({
    unknownSince: expect.any(String),
    until: expect.any(String),
  });
  expect(page.asked).toEqual([]);
  const { id } = await on.rollout();
  const skip = { verb: 'skip' as const, stage: 'canary', gate: 'g', reason: 'the key is being renewed' };
  await on.get(RolloutsService).ask(systemActor, id, skip);
  await on.settled();
  expect((await on.states()).b).toBe('assigned');
  expect(await rows()).toEqual([]);
});

test('many replicas measure once, and what was lost with its job is taken up again', async () => {
  await goBy(http({ interval: '1h', over: 'once', successes: 3 }));
  await on.commit('second');
  await on.report('a');
  await on.hub.eventually(async () => expect((await gateState()).good).toBe(1));
  expect(page.asked).toHaveLength(1);
  const due = () =>
    on.db
      .updateTable('gate_measurements')
      .set({ due_at: new Date(Date.now() - MINUTE) })
      .execute();
  const { id } = (await rows())[0]!;
  const context = { complete: () => Promise.resolve(), signal: new AbortController().signal };
  await due();
  await Promise.all(Array.from({ length: 5 }, () => on.get(GatesService).measure(id, context)));
  await on.hub.eventually(async () => expect((await gateState()).good).toBe(2));
  expect(page.asked).toHaveLength(2);
  // Its job is nowhere, as after a queue and an outbox were lost.
  await on.db.deleteFrom('outbox').where('queue', '=', 'gates').execute();
  await due();
  await on.get(GatesService).overlooked();
  await on.hub.eventually(async () => expect((await on.states()).b).toBe('assigned'));
  expect(page.asked).toHaveLength(3);
});

test('a gate that failed is measured anew by retry, in a round of its own', async () => {
  await goBy(http({ method: 'HEAD' }), { onFailure: 'stop' });
  page.status = 503;
  await on.commit('second');
  await on.report('a');
  await on.hub.eventually(async () => expect((await on.rollout()).phase).toBe('failed'));
  expect(await rows()).toEqual([]);
  page.status = 200;
  await on
    .get(RolloutsService)
    .ask(systemActor, (await on.rollout()).id, { verb: 'retry', reason: 'repaired' });
  await on.hub.eventually(async () => expect((await on.states()).b).toBe('assigned'));
  expect((await gateState()).round).toBe(2);
  const { same } = await on.get(RolloutsService).replay(systemActor, (await on.rollout()).id);
  expect(same).toBe(true);
});

test('a gate that failed is passed over in one step; what was measured and what was never asked stays to be read', async () => {
  const spec = {
    stages: [
      {
        name: 'canary',
        clusters: { matchLabels: { tier: 'canary' } },
        onFailure: 'stop',
        gates: [{ name: 'g', ...http({ failures: 1 }) }],
      },
      { name: 'rest', gates: [{ name: 'sign-off', at: 'entry', approval: {} }] },
    ],
  };
  await on.hub.apply([policy('p', spec), setOverClusters(on.hub, { 'muster.dev/rollout-policy': 'p' })]);
  await on.settled();
  page.status = 503;
  await on.commit('second');
  await on.report('a');
  await on.hub.eventually(async () => expect((await on.rollout()).phase).toBe('failed'));
  const failed = await get();
  expect(failed.progress[0]!.gates[0]).toMatchObject({
    status: 'failed',
    by: 'hub',
    bad: 2,
    recent: [{ verdict: 'bad' }, { verdict: 'bad', detail: 'it answered 503, not 200' }],
  });
  expect(failed.progress[1]!.gates[0]).toMatchObject({ status: 'pending' });
  expect(failed.progress[1]!.gates[0]).not.toHaveProperty('over');
  const ask = (verb: Record<string, unknown>) =>
    on.get(RolloutsService).ask(systemActor, failed.id, verb as never);
  await ask({ verb: 'skip', stage: 'canary', gate: 'g', reason: 'the page is being moved' });
  await on.settled();
  expect(await on.rollout()).toMatchObject({ phase: 'running', headHeld: false, stage: 1 });
  expect((await gateState()).status).toBe('skipped');
  await ask({ verb: 'abort', reason: 'enough' });
  const ended = await get();
  expect(ended.progress[1]!.gates[0]).toMatchObject({ status: 'pending', over: 'undecided' });
  await expect(ask({ verb: 'skip', stage: 'rest', gate: 'sign-off', reason: '' })).rejects.toMatchObject({
    code: 'precondition',
    hint: expect.stringContaining('muster rollout retry'),
  });
});

test('a gate whose turn never came says so', async () => {
  await goBy(http());
  await on.commit('second');
  await on.get(RolloutsService).ask(systemActor, (await on.rollout()).id, { verb: 'undo', reason: 'no' });
  expect((await get()).progress[0]!.gates[0]).toMatchObject({ status: 'pending', over: 'never-reached' });
});
