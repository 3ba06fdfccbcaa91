import { createHash, randomUUID } from 'node:crypto';
import { connect } from 'node:tls';
import { credentials, status } from '@grpc/grpc-js';
import { AgentServiceClient } from '@muster/proto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplicationList } from '../applications/application-list.repository.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { ReportIngest } from '../status/report-ingest.ts';
import { Gateway } from './gateway.ts';
import { LinkFixture } from './testing/fixture.ts';
import { TestAgent, unary } from './testing/test-agent.ts';
import { eventually } from '../testing/index.ts';

describe('sessions', () => {
  let fixture: LinkFixture;
  beforeAll(async () => {
    fixture = await LinkFixture.start();
  });
  afterAll(() => fixture?.stop());
  const connected = (name: string) => fixture.connected(name);
  const assignment = (name: string) =>
    fixture.db
      .selectFrom('assignments')
      .selectAll()
      .where('application_name', '=', name)
      .executeTakeFirstOrThrow();

  it('are closed to whoever shows no certificate of this hub', async () => {
    const client = new AgentServiceClient(
      fixture.address.session,
      credentials.createSsl(Buffer.from(fixture.address.ca)),
    );
    await expect(
      unary((done) => client.renew({ csr: Buffer.alloc(1) }, { deadline: Date.now() + 3000 } as never, done)),
    ).rejects.toBeDefined();
    client.close();
  });

  it('keep one cluster from what is assigned to another', async () => {
    const a = await connected('a');
    const b = await connected('b');
    const { digest } = await fixture.assign('b', 'secret-of-b', [{ kind: 'Secret' }]);
    await eventually(() => expect(b.link.held.size).toBe(1));
    expect((await b.download({ digest, offset: 0n })).length).toBeGreaterThan(0);
    await expect(a.download({ digest, offset: 0n })).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(a.download({ digest: '0'.repeat(64), offset: 0n })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    // A report of something that is not its own is acknowledged and stored nowhere.
    const lie = { ...fixture.status(b, 'secret-of-b'), sync: 'OutOfSync', health: 'Degraded' };
    const report = { instanceId: 'liar', sequence: 1n, snapshot: true, applications: [lie], gone: [] };
    a.sendRaw({ $case: 'report', value: report });
    await eventually(() =>
      expect(a.received.some((each) => each.$case === 'reportAck' && each.value.instanceId === 'liar')).toBe(
        true,
      ),
    );
    expect(
      await fixture.db
        .selectFrom('target_status')
        .selectAll()
        .where('application_name', '=', 'secret-of-b')
        .execute(),
    ).toEqual([]);
    const gone = {
      applicationNamespace: 'argocd',
      applicationName: 'secret-of-b',
      version: { epoch: 9n, generation: 999n },
      action: 3 as const,
      finishedAtMs: 0n,
    };
    a.sendRaw({
      $case: 'report',
      value: { ...report, sequence: 2n, snapshot: false, applications: [], gone: [gone] },
    });
    await eventually(() =>
      expect(a.received.some((each) => each.$case === 'reportAck' && each.value.sequence === 2n)).toBe(true),
    );
    expect((await assignment('secret-of-b')).cluster_id).toBe(await fixture.clusterId('b'));
    a.disconnect();
    b.disconnect();
  });

  it('relay exact bytes: an assignment altered in the database is refused by the agent and shown', async () => {
    const agent = await connected('altered');
    agent.disconnect();
    await fixture.assign('altered', 'tampered');
    await fixture.db
      .updateTable('assignments')
      .set({
        payload: sql<Buffer>`overlay(payload placing '\\x41'::bytea from 5)`,
        payload_sha256: sql<Buffer>`sha256(overlay(payload placing '\\x41'::bytea from 5))`,
      })
      .where('application_name', '=', 'tampered')
      .execute();
    agent.connect();
    await eventually(() => expect(agent.refused.join()).toContain('does not match key'));
    expect(agent.link.held.size).toBe(0);
    await eventually(async () =>
      expect((await assignment('tampered')).refused).toContain('does not match key'),
    );
    agent.disconnect();
  });

  it('cannot be used to replay an assignment of one cluster to another', async () => {
    const from = await connected('from');
    await fixture.assign('from', 'replayed');
    await eventually(() => expect(from.link.held.size).toBe(1));
    const to = await fixture.agent('to');
    await fixture.db
      .updateTable('assignments')
      .set({ cluster_id: await fixture.clusterId('to'), acked_at: null })
      .where('application_name', '=', 'replayed')
      .execute();
    to.connect();
    await eventually(() => expect(to.refused.join()).toContain('not for this one'));
    expect(to.link.held.size).toBe(0);
    from.disconnect();
    to.disconnect();
  });

  it('fence: the newest session of a cluster ends the older, whose reports no longer count', async () => {
    const first = await connected('fenced');
    const second = new TestAgent(fixture.address, first.identity, first.kubeSystemUid);
    second.connect();
    await eventually(() =>
      expect(first.ended).toMatchObject({
        code: status.ABORTED,
        details: expect.stringContaining('newer session'),
      }),
    );
    await eventually(() => expect(second.welcome).toBeDefined());
    expect(second.ended).toBeUndefined();
    const ingest = fixture.hub.app.get(ReportIngest, { strict: false });
    const late = { instanceId: 'late', sequence: 1n, snapshot: true, applications: [], gone: [] };
    const stored = ingest.add(await fixture.clusterId('fenced'), 'a session that was fenced', late);
    await expect(stored).rejects.toThrow('newer session');
    second.disconnect();
  });

  it('end when another replica takes the cluster over', async () => {
    const agent = await connected('moved');
    await eventually(() => expect(agent.link.reportsDrained).toBe(true));
    const id = await fixture.clusterId('moved');
    await fixture.db
      .updateTable('clusters')
      .set({ session_id: 'elsewhere', replica_id: 'other' })
      .where('id', '=', id)
      .execute();
    await sql`select pg_notify('sessions', ${`${id} elsewhere`})`.execute(fixture.db);
    await eventually(() => expect(agent.ended?.code).toBe(status.ABORTED));
  });

  it('are refused to a second kube-system UID, which is raised as cloned', async () => {
    const agent = await connected('original');
    const clone = new TestAgent(fixture.address, agent.identity, randomUUID());
    clone.connect();
    await eventually(() => expect(clone.ended).toMatchObject({ code: status.FAILED_PRECONDITION }));
    expect(agent.ended).toBeUndefined();
    expect((await fixture.cluster('original')).cloned.uid).toBe(clone.kubeSystemUid);
    agent.disconnect();
  });

  it('deliver what changed while an agent was away, and nothing when nothing did', async () => {
    const agent = await connected('away');
    await fixture.assign('away', 'one');
    await eventually(() => expect(agent.link.held.size).toBe(1));
    await eventually(async () => expect((await assignment('one')).acked_at).not.toBeNull());
    agent.disconnect();
    await fixture.assign('away', 'two');
    agent.restart();
    agent.connect();
    await eventually(() => expect(agent.link.held.size).toBe(2));
    agent.disconnect();
    const before = agent.received.length;
    agent.connect();
    await eventually(() => expect(agent.welcome?.upToDate).toBe(true));
    expect(agent.received.slice(before).map((each) => each.$case)).toEqual(['welcome']);
    agent.disconnect();
  });

  it('carry out tombstones and forget them once they are gone', async () => {
    const agent = await connected('removes');
    await fixture.assign('removes', 'leaving');
    await eventually(() => expect(agent.link.held.size).toBe(1));
    agent.report(fixture.status(agent, 'leaving'));
    await eventually(() => expect(agent.link.reportsDrained).toBe(true));
    await fixture.assign('removes', 'leaving', [], 'uninstall');
    await eventually(() => expect(agent.link.held.get('argocd/leaving')?.assignment.action).toBe(3));
    agent.finish('argocd/leaving');
    await eventually(async () =>
      expect(
        await fixture.db
          .selectFrom('assignments')
          .selectAll()
          .where('application_name', '=', 'leaving')
          .execute(),
      ).toEqual([]),
    );
    expect(
      await fixture.db
        .selectFrom('target_status')
        .selectAll()
        .where('application_name', '=', 'leaving')
        .execute(),
    ).toEqual([]);
    agent.disconnect();
  });

  it('show how far the clock of a cluster is off, as its agent says', async () => {
    const agent = await connected('skewed');
    const heartbeat = { fingerprint: Buffer.alloc(0), highest: undefined, facts: undefined };
    const shown = async () =>
      (await fixture.hub.request('GET', '/api/v1/clusters/skewed')).body.clockOffsetMs;
    for (const [clockOffsetMs, expected] of [
      [-90_000n, -90_000],
      [undefined, -90_000],
      [2n ** 62n, 1e12],
    ] as const) {
      agent.sendRaw({ $case: 'heartbeat', value: { ...heartbeat, clockOffsetMs } });
      await eventually(async () => expect(await shown()).toBe(expected));
    }
    const metrics = await fixture.hub.app.get(Metrics, { strict: false }).text();
    expect(metrics).toMatch(/^muster_clusters_with_wrong_clock(\{.*\})? 1$/m);
    agent.disconnect();
  });

  it('push a changed registration to the agent, signed', async () => {
    const agent = await connected('labelled');
    const { status: code } = await fixture.hub.request('PATCH', '/api/v1/clusters/labelled', {
      body: { labels: { env: 'prod' } },
    });
    expect(code).toBe(200);
    await eventually(() => expect(agent.received.some((each) => each.$case === 'registration')).toBe(true));
    expect(agent.refused).toEqual([]);
    const { body } = await fixture.hub.request('GET', '/api/v1/clusters?label=env%3Dprod,!old');
    expect(body.items.map((each: { name: string }) => each.name)).toEqual(['labelled']);
    agent.disconnect();
  });

  it('live on while the gateway shows new connections a new certificate', async () => {
    const agent = await connected('before-reissue');
    const first = await chainOf(fixture.address.session);
    expect(first.map((each) => createHash('sha256').update(each).digest('hex'))).toContain(
      fixture.keys.caSha256,
    );
    await fixture.hub.app.get(Gateway, { strict: false }).renewCertificate();
    const second = await chainOf(fixture.address.session);
    expect(second[0]!.equals(first[0]!)).toBe(false);
    const late = await connected('after-reissue');
    await fixture.assign('before-reissue', 'still-here');
    await eventually(() => expect(agent.link.held.has('argocd/still-here')).toBe(true));
    agent.disconnect();
    late.disconnect();
  });

  it('are counted as their Applications are listed: reported, behind the assignment, never reported, silent', async () => {
    const agent = await connected('counted');
    const quiet = await connected('quiet');
    const clusters = { counted: await fixture.clusterId('counted'), quiet: await fixture.clusterId('quiet') };
    const add = async (cluster: keyof typeof clusters, name: string) => {
      await fixture.db
        .insertInto('applications')
        .values({
          namespace: 'argocd',
          name,
          project: 'counted',
          cluster_id: clusters[cluster],
          manifest_sealed: Buffer.from('not read'),
          manifest_hash: '',
        })
        .execute();
    };
    for (const name of ['current', 'behind', 'unreported']) {
      await add('counted', name);
      await fixture.assign('counted', name);
    }
    await add('counted', 'unassigned');
    await add('quiet', 'unheard');
    await fixture.assign('quiet', 'unheard');
    await eventually(() => expect([agent.link.held.size, quiet.link.held.size]).toEqual([3, 1]));
    for (const name of ['current', 'behind']) agent.report(fixture.status(agent, name));
    quiet.report(fixture.status(quiet, 'unheard'));
    await eventually(() => expect(agent.link.reportsDrained && quiet.link.reportsDrained).toBe(true));
    await fixture.assign('counted', 'behind', [{ kind: 'ConfigMap' }]);
    quiet.disconnect();
    await fixture.db
      .updateTable('clusters')
      .set({ last_seen_at: new Date('2026-01-01T00:00:00Z') })
      .where('name', '=', 'quiet')
      .execute();
    const list = fixture.hub.app.get(ApplicationList, { strict: false });
    const shown = (await list.read({ projects: '*', limit: 100 })).map((row) => ({
      name: row.name,
      sync: row.sync_now,
      health: row.health_now,
    }));
    expect(Object.fromEntries(shown.map(({ name, sync, health }) => [name, `${sync} ${health}`]))).toEqual({
      current: 'Synced Healthy',
      behind: 'OutOfSync Progressing',
      unreported: 'OutOfSync Missing',
      unassigned: 'Unknown Unknown',
      unheard: 'Unknown Unknown',
    });
    const count = (of: string[]) =>
      of.reduce<Record<string, number>>((sum, one) => ({ ...sum, [one]: (sum[one] ?? 0) + 1 }), {});
    expect((await fixture.hub.request('GET', '/api/v1/summary')).body.applications).toEqual({
      total: 5,
      bySync: count(shown.map(({ sync }) => sync)),
      byHealth: count(shown.map(({ health }) => health)),
    });
    agent.disconnect();
  });

  it('say since when a silent cluster is unknown, computed when read', async () => {
    const agent = await connected('silent');
    agent.disconnect();
    await fixture.db
      .updateTable('clusters')
      .set({ last_seen_at: new Date('2026-01-01T00:00:00Z'), lease_seconds: 30 })
      .where('name', '=', 'silent')
      .execute();
    expect(await fixture.cluster('silent')).toMatchObject({
      connection: 'silent',
      silentSince: '2026-01-01T00:00:30.000Z',
    });
  });
});

/** The certificates that a server shows, leaf first. */
function chainOf(address: string): Promise<Buffer[]> {
  const [host, port] = address.split(':') as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'] },
      () => {
        const leaf = socket.getPeerCertificate(true);
        socket.destroy();
        resolve([leaf.raw, leaf.issuerCertificate.raw]);
      },
    );
    socket.on('error', reject);
  });
}
