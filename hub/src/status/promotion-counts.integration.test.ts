import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, systemActor } from '../access/actor.ts';
import { ENVIRONMENTS, PromotionFixture, manifests } from '../promotion/promotions.fixture.ts';
import { StatusService } from './status.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-promotion-counts-'));
let fixture: PromotionFixture;

beforeAll(async () => {
  fixture = await PromotionFixture.start(folder);
  fixture.on.hub.git('config', 'receive.denyCurrentBranch', 'updateInstead');
});
afterAll(async () => {
  await fixture?.on.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the summary of the fleet counts promotions that wait for an approval, until enough people gave one', async () => {
  const { hub } = fixture.on;
  const asking = async () => (await fixture.on.get(StatusService).summary()).promotions.asking;
  const path = (name: string) => `envs/${name}/web.yaml`;
  // Production is behind from the first.
  hub.commit(
    Object.fromEntries(
      ENVIRONMENTS.map((name) => [path(name), manifests(name, name === 'prod' ? 'web:0' : 'web:1')]),
    ),
    'first',
  );
  await fixture.register(hub.url);
  await fixture.deploy(hub.url, (name) => ({ path: `envs/${name}`, targetRevision: 'main' }));
  expect(await asking()).toBe(0);
  await fixture.apply({
    repository: hub.url,
    environments: ENVIRONMENTS.map((name) => ({
      name,
      application: `web-${name}`,
      path: `envs/${name}`,
      ...(name === 'dev' ? {} : { change: { mode: 'commit', copy: {} } }),
      ...(name === 'prod' ? { production: true, approval: { count: 2 } } : {}),
    })),
  });
  expect((await fixture.change('prod')).asks?.count).toBe(2);
  expect(await asking()).toBe(1);
  const ask = fixture.promotions.ask.bind(fixture.promotions);
  const person = (name: string): Actor => ({
    kind: 'user',
    name,
    grants: [{ role: 'approver', project: '*' }],
  });
  await ask(person('ada'), 'web', { verb: 'approve', reason: 'looks good' });
  expect(await asking()).toBe(1);
  // A pause is no approval, nor does it take the question away.
  await ask(systemActor, 'web', { verb: 'pause', reason: 'holidays' });
  expect(await asking()).toBe(1);
  await ask(person('bob'), 'web', { verb: 'approve', reason: 'it does' });
  await fixture.on.settled();
  expect((await fixture.change('prod')).state).toBe('waiting');
  expect(await asking()).toBe(0);
});
