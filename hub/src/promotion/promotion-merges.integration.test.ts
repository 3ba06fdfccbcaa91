import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ENVIRONMENTS, PromotionFixture, manifests } from './promotions.fixture.ts';

let folder: string;
let fixture: PromotionFixture;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-promotion-'));
  fixture = await PromotionFixture.start(folder);
  fixture.on.hub.git('config', 'receive.denyCurrentBranch', 'updateInstead');
});
afterEach(async () => {
  await fixture?.on.hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

const url = () => fixture.on.hub.url;
const head = (branch = 'main') => fixture.on.hub.git('rev-parse', branch);

/** All environments in branches of their own, promoted by commits. */
async function branches(how: object = {}): Promise<void> {
  await fixture.register(url());
  await fixture.deploy(url(), (name) => ({ path: 'web', targetRevision: `env/${name}` }));
  await fixture.apply({
    repository: url(),
    environments: ENVIRONMENTS.map((name, i) => ({
      name,
      application: `web-${name}`,
      branch: `env/${name}`,
      ...(i === 0 ? {} : { change: { mode: 'commit', ...how } }),
    })),
  });
}

test('branches follow each other, are merged where they cannot, and conflicts are named', async () => {
  const { hub } = fixture.on;
  hub.commit({ 'web/web.yaml': manifests('x', 'web:1') }, 'first');
  for (const name of ENVIRONMENTS) hub.git('branch', `env/${name}`);
  hub.git('checkout', '-q', 'env/dev');
  await branches();
  const second = hub.commit({ 'web/web.yaml': manifests('x', 'web:2') }, 'second');
  await fixture.pulled(url());
  await fixture.healthy('dev');
  expect(head('env/staging')).toBe(second);
  await fixture.on.settled();
  // prod has a commit of its own.
  hub.git('checkout', '-q', 'env/prod');
  const own = hub.commit(
    { 'web/own.yaml': manifests('x', 'own:1').replace('name: web', 'name: own') },
    'own',
  );
  hub.git('checkout', '-q', 'env/dev');
  await fixture.pulled(url());
  await fixture.on.report('prod');
  await fixture.healthy('staging');
  expect(await fixture.change('prod')).toMatchObject({ state: 'done' });
  expect(hub.git('rev-parse', 'env/prod^1', 'env/prod^2')).toBe(`${own}\n${second}`);
  // Both change the same line.
  hub.git('checkout', '-q', 'env/staging');
  const theirs = hub.commit({ 'web/web.yaml': manifests('x', 'web:other') }, 'by hand');
  hub.git('checkout', '-q', 'env/dev');
  hub.commit({ 'web/web.yaml': manifests('x', 'web:3') }, 'third');
  await fixture.pulled(url());
  await fixture.healthy('dev');
  expect(await fixture.change('staging')).toMatchObject({
    state: 'conflict',
    why: 'both branches changed web/web.yaml',
  });
  expect(head('env/staging')).toBe(theirs);
});

test('a merge that is exact takes the very tree, also where both sides changed the same lines, and keeps both histories', async () => {
  const { hub } = fixture.on;
  hub.commit({ 'web/web.yaml': manifests('x', 'web:1') }, 'first');
  for (const name of ENVIRONMENTS) hub.git('branch', `env/${name}`);
  hub.git('checkout', '-q', 'env/staging');
  const own = hub.commit(
    {
      'web/web.yaml': manifests('x', 'web:hotfix'),
      'web/only-there.yaml': 'kind: List\napiVersion: v1\nitems: []\n',
    },
    'own',
  );
  hub.git('checkout', '-q', 'env/dev');
  await branches({ merge: { exact: true } });
  const second = hub.commit({ 'web/web.yaml': manifests('x', 'web:2') }, 'second');
  await fixture.pulled(url());
  await fixture.healthy('dev');
  expect(await fixture.change('staging')).toMatchObject({ state: 'done', result: head('env/staging') });
  expect(hub.git('rev-parse', 'env/staging^1', 'env/staging^2')).toBe(`${own}\n${second}`);
  expect(head('env/staging^{tree}')).toBe(head('env/dev^{tree}'));
  const made = head('env/staging');
  await fixture.look();
  expect(head('env/staging')).toBe(made);
});
