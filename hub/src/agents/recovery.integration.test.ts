import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Action } from '@muster/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Keys } from '../keys/keys.ts';
import { LinkFixture } from './testing/fixture.ts';
import type { TestAgent } from './testing/test-agent.ts';
import { eventually } from '../testing/index.ts';

describe('a hub whose database was emptied', () => {
  const keysDir = mkdtempSync(join(tmpdir(), 'muster-recovery-'));
  const env = { MUSTER_KEYS_DIR: keysDir };
  let after: LinkFixture;
  let agent: TestAgent;
  let stranger: TestAgent;

  beforeAll(async () => {
    await Keys.open(keysDir);
    const before = await LinkFixture.start(env);
    agent = await before.agent('prod', { labels: { env: 'prod' } });
    stranger = await before.agent('stranger');
    agent.connect();
    await eventually(() => expect(agent.welcome).toBeDefined());
    for (const name of ['web', 'api', 'old']) await before.assign('prod', name);
    await eventually(() => expect(agent.link.held.size).toBe(3));
    agent.disconnect();
    await before.stop();
    after = await LinkFixture.start(env);
    agent.moveTo(after.address);
    stranger.moveTo(after.address);
  });
  afterAll(async () => {
    agent?.disconnect();
    await after?.stop();
    rmSync(keysDir, { recursive: true, force: true });
  });

  it('is the same hub to its agents, and goes into recovery when it hears what it once signed', async () => {
    agent.connect();
    await eventually(() => expect(agent.welcome).toMatchObject({ holding: true }));
    const { body } = await after.hub.request('GET', '/api/v1/recovery');
    expect(body).toMatchObject({
      recovering: true,
      epoch: '1',
      highestHeard: { epoch: '1', generation: '3' },
      recoveredClusters: 1,
    });
  });

  it('knows the cluster again from the registration that it signed, and assigns it nothing', async () => {
    expect(await after.cluster('prod')).toMatchObject({
      state: 'recovered',
      labels: { env: 'prod' },
      server: 'muster://prod',
    });
    expect(agent.link.held.size).toBe(3);
    expect(agent.received.some((each) => each.$case === 'assignment')).toBe(true);
  });

  it('lists what the cluster holds as unclaimed', async () => {
    await eventually(async () => {
      const { body } = await after.hub.request('GET', '/api/v1/unclaimed?cluster=prod');
      expect(body.items.map((each: { name: string }) => each.name)).toEqual(['api', 'old', 'web']);
    });
  });

  it('signs nothing, and removes nothing, until it is confirmed', async () => {
    expect(() => after.keys.sign('muster.assignment.v1', Buffer.from('x'), 'assignment')).toThrow(
      'in recovery',
    );
    await expect(after.assign('prod', 'web')).rejects.toThrow('in recovery');
    const { status, body } = await after.hub.request('POST', '/api/v1/unclaimed/prod/argocd/old/uninstall');
    expect([status, body.code]).toEqual([412, 'precondition']);
  });

  it('goes on above the highest version heard once somebody confirms', async () => {
    const { body } = await after.hub.request('POST', '/api/v1/recovery/confirm', {
      body: { reason: 'backup was lost' },
    });
    expect(body).toMatchObject({ recovering: false, epoch: '2', confirmedBy: 'admin' });
    expect((await after.hub.request('POST', '/api/v1/recovery/confirm')).status).toBe(412);
    await after.assign('prod', 'web');
    agent.heartbeat();
    expect(agent.link.held.get('argocd/web')!.assignment.version!.epoch).toBe(1n);
    expect((await after.hub.request('POST', '/api/v1/clusters/prod/approve')).body.state).toBe('active');
    await eventually(() => expect(agent.link.held.get('argocd/web')!.assignment.version!.epoch).toBe(2n));
    expect(agent.link.held.size).toBe(3);
    expect([...agent.link.held.values()].every((each) => each.assignment.action === Action.APPLY)).toBe(true);
  });

  it('sends a tombstone for something unclaimed only when somebody says so', async () => {
    await eventually(async () => {
      const { body } = await after.hub.request('GET', '/api/v1/unclaimed');
      expect(body.items.map((each: { name: string }) => each.name)).toEqual(['api', 'old']);
    });
    const adopt = await after.hub.request('POST', '/api/v1/unclaimed/prod/argocd/api/adopt');
    expect(adopt.body).toMatchObject({
      code: 'precondition',
      hint: expect.stringContaining('apply the Application'),
    });
    expect(
      (
        await after.hub.request('POST', '/api/v1/unclaimed/prod/argocd/old/orphan', {
          body: { reason: 'moved' },
        })
      ).status,
    ).toBe(204);
    await eventually(() => expect(agent.link.held.get('argocd/old')!.assignment.action).toBe(Action.ORPHAN));
    agent.finish('argocd/old');
    await eventually(async () =>
      expect(await after.db.selectFrom('assignments').select('application_name').execute()).toEqual([
        { application_name: 'web' },
      ]),
    );
    expect([...agent.link.held.keys()].sort()).toEqual(['argocd/api', 'argocd/web']);
  });

  it('takes a cluster that never had anything without going into recovery', async () => {
    stranger.connect();
    await eventually(() => expect(stranger.welcome?.holding).toBe(true));
    expect((await after.cluster('stranger')).state).toBe('recovered');
    expect((await after.hub.request('GET', '/api/v1/recovery')).body.recovering).toBe(false);
    stranger.disconnect();
  });

  it('can revoke certificates that the lost database had known', async () => {
    const { body } = await after.hub.request('POST', '/api/v1/clusters/prod/revoke-certificates');
    expect(body.revoked).toBe(1);
    await eventually(() => expect(agent.ended?.code).toBe(16));
    // One that was never seen here, made before the revocation.
    const row = await after.db
      .selectFrom('certificates')
      .select('serial')
      .where('cluster_id', '=', agent.identity.identity.clusterId)
      .execute();
    await after.db
      .deleteFrom('certificates')
      .where(
        'serial',
        'in',
        row.map((each) => each.serial),
      )
      .execute();
    agent.disconnect();
    agent.connect();
    await eventually(() => expect(agent.ended?.code).toBe(16));
    expect((await after.cluster('prod')).state).toBe('active');
  });

  it('does not start on the database of another hub', async () => {
    const other = mkdtempSync(join(tmpdir(), 'muster-recovery-'));
    await Keys.open(other);
    const { startHub } = await import('../hub.ts');
    const { readConfig } = await import('../config.ts');
    const { pino } = await import('pino');
    const config = readConfig({
      MUSTER_DATA_DIR: other,
      DATABASE_URL: after.hub.database.url,
      MUSTER_KEYS_DIR: other,
      MUSTER_HTTP_PORT: '0',
      MUSTER_SESSION_PORT: '0',
      MUSTER_ENROL_PORT: '0',
    });
    await expect(startHub(config, pino({ level: 'silent' }))).rejects.toThrow('belongs to hub');
    rmSync(other, { recursive: true, force: true });
  });
});
