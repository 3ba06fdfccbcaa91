import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sessions } from './sessions.ts';
import { LinkFixture } from './testing/fixture.ts';
import type { TestAgent } from './testing/test-agent.ts';
import { eventually } from '../testing/index.ts';

const SIZE = 200;
describe('a fleet', () => {
  let fixture: LinkFixture;
  beforeAll(async () => {
    fixture = await LinkFixture.start();
  });
  afterAll(() => fixture?.stop());

  it(`of ${SIZE} clusters reports at once, in batches, and every report is stored`, async () => {
    const agents: TestAgent[] = [];
    for (let i = 0; i < SIZE; i += 20) {
      agents.push(...(await Promise.all(Array.from({ length: 20 }, (_, j) => fixture.agent(`c${i + j}`)))));
    }
    for (const agent of agents) agent.connect();
    await eventually(() => expect(fixture.hub.app.get(Sessions, { strict: false }).size).toBe(SIZE));
    for (let i = 0; i < SIZE; i++) await fixture.assign(`c${i}`, `app-${i}`);
    await eventually(() => expect(agents.filter((agent) => agent.link.held.size === 1)).toHaveLength(SIZE));
    for (const [i, agent] of agents.entries()) {
      agent.report(fixture.status(agent, `app-${i}`, { sync: 'OutOfSync', health: 'Progressing' }));
      agent.report(fixture.status(agent, `app-${i}`));
    }
    await eventually(() => expect(agents.filter((agent) => !agent.link.reportsDrained)).toHaveLength(0));
    const rows = await fixture.db.selectFrom('target_status').select(['sync', 'health']).execute();
    expect(rows.filter((row) => row.sync === 'Synced' && row.health === 'Healthy')).toHaveLength(SIZE);
    expect(
      await fixture.db
        .selectFrom('deployments')
        .select('healthy_at')
        .where('healthy_at', 'is not', null)
        .execute(),
    ).toHaveLength(SIZE);
    for (const agent of agents) agent.heartbeat();
    await eventually(async () =>
      expect((await fixture.hub.request('GET', '/api/v1/summary')).body.clusters).toMatchObject({
        connected: SIZE,
        silent: 0,
      }),
    );
    for (const agent of agents) agent.disconnect();
    await eventually(() => expect(fixture.hub.app.get(Sessions, { strict: false }).size).toBe(0));
  });
});
