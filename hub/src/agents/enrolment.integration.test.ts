import { status } from '@grpc/grpc-js';
import { EnrollmentState } from '@muster/proto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRequest } from '../keys/testing.ts';
import { LinkFixture } from './testing/fixture.ts';
import { TestAgent, TestEnrolment } from './testing/test-agent.ts';
import { eventually } from '../testing/index.ts';

describe('enrolment', () => {
  let fixture: LinkFixture;
  beforeAll(async () => {
    fixture = await LinkFixture.start();
  });
  afterAll(() => fixture?.stop());
  const enrolment = async (name: string, options: Record<string, unknown> = {}) =>
    new TestEnrolment(fixture.address, await fixture.token(name, options));

  it('waits for an approval, then gives the identity to the holder of the key', async () => {
    const joining = await enrolment('waits', { autoApprove: false });
    const first = await joining.enroll();
    expect(first).toMatchObject({ state: EnrollmentState.PENDING, identity: undefined });
    expect((await joining.status(first.enrollmentId)).state).toBe(EnrollmentState.PENDING);
    const shown = await fixture.cluster('waits');
    expect(shown).toMatchObject({
      state: 'pending',
      connection: 'never',
      waiting: { kubeSystemUid: joining.kubeSystemUid },
    });
    const approved = await fixture.hub.request('POST', '/api/v1/clusters/waits/approve');
    expect(approved.body).toMatchObject({ state: 'active', approvedBy: 'admin' });
    const answer = await joining.status(first.enrollmentId);
    const agent = new TestAgent(fixture.address, joining.accepted(answer), joining.kubeSystemUid);
    agent.connect();
    await eventually(() => expect(agent.welcome?.holding).toBe(false));
    agent.disconnect();
  });

  it('tells nothing to whoever holds another key, or whose clock is far off', async () => {
    const joining = await enrolment('proof', { autoApprove: false });
    const { enrollmentId } = await joining.enroll();
    await fixture.hub.request('POST', '/api/v1/clusters/proof/approve');
    const { key } = await makeRequest();
    await expect(joining.status(enrollmentId, { key })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    await expect(joining.status(enrollmentId, { timeMs: Date.now() - 400_000 })).rejects.toThrow('apart');
  });

  it('counts a repeated request of the same key once, and refuses another key', async () => {
    const joining = await enrolment('once');
    const first = await joining.enroll();
    expect((await joining.enroll()).enrollmentId).toBe(first.enrollmentId);
    const second = new TestEnrolment(fixture.address, joining.token);
    await expect(second.enroll()).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining('used up'),
    });
  });

  it('refuses tokens that expired or were revoked', async () => {
    const expired = await enrolment('expired');
    await fixture.db
      .updateTable('join_tokens')
      .set({ expires_at: sql<Date>`now() - interval '1 second'` })
      .where('cluster_name', '=', 'expired')
      .execute();
    await expect(expired.enroll()).rejects.toThrow('expired');
    const revoked = await enrolment('revoked');
    const { body } = await fixture.hub.request('GET', '/api/v1/join-tokens');
    const { id } = body.items.find((each: { name: string }) => each.name === 'revoked');
    expect((await fixture.hub.request('DELETE', `/api/v1/join-tokens/${id}`)).status).toBe(204);
    await expect(revoked.enroll()).rejects.toThrow('revoked');
    expect(
      await fixture.db
        .selectFrom('clusters')
        .select('name')
        .where('name', 'in', ['expired', 'revoked'])
        .execute(),
    ).toEqual([]);
  });

  it('stores tokens hashed and shows them once', async () => {
    const token = await fixture.token('hashed');
    const { body } = await fixture.hub.request('GET', '/api/v1/join-tokens');
    expect(JSON.stringify(body)).not.toContain(token);
    const rows = await sql`select t::text from join_tokens t`.execute(fixture.db);
    expect(JSON.stringify(rows.rows)).not.toContain(token);
  });

  it('lets a new key join under a name that exists, keeps what is assigned, and cuts off the old one', async () => {
    const old = await fixture.agent('rejoin');
    await fixture.assign('rejoin', 'web');
    old.connect();
    await eventually(() => expect(old.link.held.size).toBe(1));
    const joining = await enrolment('rejoin');
    const answer = await joining.enroll();
    expect(answer.identity?.clusterId).toBe(old.identity.identity.clusterId);
    await eventually(() => expect(old.ended?.code).toBe(status.UNAUTHENTICATED));
    const renewed = new TestAgent(fixture.address, joining.accepted(answer), joining.kubeSystemUid);
    renewed.connect();
    await eventually(() => expect(renewed.link.held.has('argocd/web')).toBe(true));
    renewed.disconnect();
  });

  it('renews over the open link, and the stream lives on', async () => {
    const agent = await fixture.agent('renews');
    agent.connect();
    await eventually(() => expect(agent.welcome).toBeDefined());
    const { chain, key } = await agent.renew();
    await fixture.assign('renews', 'after-renewal');
    await eventually(() => expect(agent.link.held.has('argocd/after-renewal')).toBe(true));
    expect(agent.ended).toBeUndefined();
    agent.disconnect();
    agent.useCertificate(chain, key);
    agent.connect();
    await eventually(() => expect(agent.welcome?.upToDate).toBe(true));
    agent.disconnect();
  });

  it('renews an expired certificate for its key, within 90 days, unless it was revoked', async () => {
    const agent = await fixture.agent('late');
    const { clusterId } = agent.identity.identity;
    const { csr, key } = await makeRequest();
    const issue = async (lifeMs: number, revoked_at: Date | null = null) => {
      const issued = await fixture.keys.authority.issue(csr, clusterId, lifeMs);
      const { serial, fingerprint, notBefore: not_before, notAfter: not_after } = issued;
      const row = { serial, cluster_id: clusterId, fingerprint, not_before, not_after, revoked_at };
      await fixture.db.insertInto('certificates').values(row).execute();
      return issued.chain;
    };
    const expired = await issue(-1000);
    agent.useCertificate(expired, key);
    agent.connect();
    await eventually(() => expect(agent.ended).toBeDefined());
    const client = new TestEnrolment(fixture.address, '');
    const other = await makeRequest();
    await expect(client.renewExpired(expired[0]!, other.key)).rejects.toThrow('proof of possession');
    expect(await client.renewExpired(expired[0]!, key)).toHaveLength(2);
    await expect(client.renewExpired((await issue(-91 * 86_400_000))[0]!, key)).rejects.toThrow('90 days');
    await expect(client.renewExpired((await issue(-500, new Date()))[0]!, key)).rejects.toThrow('revoked');
  });

  it('cuts a revoked cluster off, and gives its approved enrolment no new certificate', async () => {
    const joining = await enrolment('cut');
    const answer = await joining.enroll();
    const agent = new TestAgent(fixture.address, joining.accepted(answer), joining.kubeSystemUid);
    agent.connect();
    await eventually(() => expect(agent.welcome).toBeDefined());
    const { body } = await fixture.hub.request('POST', '/api/v1/clusters/cut/revoke-certificates');
    expect(body.revoked).toBeGreaterThan(0);
    await eventually(() =>
      expect(agent.ended).toMatchObject({
        code: status.UNAUTHENTICATED,
        details: expect.stringContaining('revoked'),
      }),
    );
    agent.disconnect();
    agent.connect();
    await eventually(() => expect(agent.ended?.code).toBe(status.UNAUTHENTICATED));
    await expect(agent.renew()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    expect((await joining.status(answer.enrollmentId)).state).toBe(EnrollmentState.REFUSED);
  });

  it('prints no install command until the gateway has an address, and says which settings are missing', async () => {
    const { body } = await fixture.hub.request('POST', '/api/v1/join-tokens', { body: { name: 'printed' } });
    expect(body.install).toMatchObject({ missing: ['MUSTER_GATEWAY_ADDRESS', 'MUSTER_PUBLIC_URL'] });
    expect(body.install.command).toBeUndefined();
    expect(body.hub.caSha256).toBe(fixture.keys.caSha256);
  });

  it('stops listening to an address that guesses tokens', async () => {
    const good = await enrolment('patient');
    const guess = () => new TestEnrolment(fixture.address, `mjt_${'A'.repeat(43)}`).enroll();
    for (let i = 0; i < 12; i++) await expect(guess()).rejects.toMatchObject({ code: expect.any(Number) });
    await expect(guess()).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    await expect(good.enroll()).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });
});
