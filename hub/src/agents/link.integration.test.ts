import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinkFixture } from './testing/fixture.ts';
import { eventually } from '../testing/index.ts';

describe('the link, from token to stored report', () => {
  let fixture: LinkFixture;
  beforeAll(async () => {
    fixture = await LinkFixture.start();
  });
  afterAll(() => fixture?.stop());

  it('enrols a cluster, delivers its assignment and stores what it reports', async () => {
    const agent = await fixture.agent('thin', { labels: { env: 'dev' } });
    agent.connect();
    await eventually(() => expect(agent.welcome?.upToDate).toBe(true));
    const { digest, stored } = await fixture.assign('thin', 'web', [{ kind: 'ConfigMap' }]);
    await eventually(() => expect(agent.link.held.get('argocd/web')?.assignment.bundleDigest).toBe(digest));
    expect(await agent.download({ digest, offset: 0n })).toEqual(stored);
    expect(await agent.download({ digest, offset: 5n })).toEqual(stored.subarray(5));
    agent.report(fixture.status(agent, 'web'));
    await eventually(() => expect(agent.link.reportsDrained).toBe(true));
    const row = await fixture.db
      .selectFrom('target_status')
      .selectAll()
      .where('application_name', '=', 'web')
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ sync: 'Synced', health: 'Healthy', bundle_digest: digest });
    const assignment = await fixture.db
      .selectFrom('assignments')
      .select('acked_at')
      .where('application_name', '=', 'web')
      .executeTakeFirstOrThrow();
    expect(assignment.acked_at).toBeInstanceOf(Date);
    expect(await fixture.cluster('thin')).toMatchObject({
      state: 'active',
      connection: 'connected',
      kubernetesVersion: 'v1.34.0',
      labels: { env: 'dev' },
    });
    agent.disconnect();
  });
});
