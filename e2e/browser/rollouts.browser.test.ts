import type { RolloutListItem } from '@muster/api';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complaintsOf, webSet } from './fixture.ts';
import { CLUSTER, Scene, overflow, pointers } from './scene.ts';

const RINGS = ['canary', 'rest'];

let scene: Scene;
let page: Page;
let complaints: string[];
let button: ReturnType<typeof pointers>['button'];
let region: ReturnType<typeof pointers>['region'];

/** `web-canary` and `web-rest` on one cluster, each in a namespace of its own. */
function ringSet(annotations: Record<string, string>): Record<string, unknown> {
  const set = structuredClone(webSet(scene.repository.url)) as {
    metadata: { annotations?: Record<string, string> };
    spec: { generators: unknown[]; template: { metadata: object; spec: { destination: object } } };
  };
  set.metadata.annotations = annotations;
  set.spec.generators = [{ list: { elements: RINGS.map((ring) => ({ ring })) } }];
  set.spec.template.metadata = { name: 'web-{{ring}}', labels: { ring: '{{ring}}' } };
  set.spec.template.spec.destination = { name: CLUSTER, namespace: 'shop-{{ring}}' };
  return set;
}

/** The canary first; the rest only after somebody has said so. What is not healthy soon is taken back everywhere. */
const careful = {
  apiVersion: 'muster.dev/v1alpha1',
  kind: 'RolloutPolicy',
  metadata: { name: 'careful' },
  spec: {
    defaults: { soak: '1s', deadline: '8s', onFailure: 'rollback-all' },
    stages: [
      { name: 'canary', applications: { matchLabels: { ring: 'canary' } } },
      { name: 'rest', gates: [{ name: 'sign-off', at: 'entry', approval: { expires: '1h' } }] },
    ],
  },
};

beforeAll(async () => {
  scene = await Scene.start({ MUSTER_POLL_SECONDS: '1' });
  await scene.join({ autoApprove: true });
  await scene.repository.commit('1.0.0', 'The shop opens');
  await scene.deploy(
    [ringSet({})],
    RINGS.map((ring) => `web-${ring}`),
  );
  const documents = [careful, ringSet({ 'muster.dev/rollout-policy': 'careful' })];
  await scene.client.apply({ documents });
  page = await scene.open();
  ({ button, region } = pointers(page));
  complaints = complaintsOf(page);
});

afterAll(async () => {
  await scene?.stop();
});

const target = (ring: string) => page.locator(`[data-target="argocd/web-${ring}@${CLUSTER}"]`);
const newest = async (): Promise<RolloutListItem> =>
  (await scene.client.rollouts.list({ limit: 1 })).items[0]!;
const link = (id: string) => `${scene.hub.url}/?rollout=${id}`;

describe('rollouts on the page', () => {
  it('are none at first, and it says what to do', async () => {
    await button('Rollouts').click();
    await page.getByRole('heading', { name: 'No rollouts yet' }).waitFor();
    await button('Policies').click();
    await button('careful').click();
    await page.getByText('gate sign-off: approval by 1').waitFor();
    await page.getByText('kind: RolloutPolicy').waitFor();
    await page.keyboard.press('Escape');
    await button('All').click();
    await page.evaluate(`document.body.dataset.unreloaded = 'yes'`);
  });

  it('appear and move by themselves, down to what they wait for', async () => {
    const commit = await scene.repository.commit('1.1.0', 'Autumn sale');
    const row = page.locator('[data-rollout]').filter({ hasText: 'Autumn sale' });
    await row.filter({ hasText: commit.slice(0, 7) }).waitFor();
    await row.filter({ hasText: '1 approval at "sign-off"' }).waitFor();
    await row.getByRole('link', { name: 'argocd/web' }).click();
    await page.getByRole('heading', { name: 'argocd/web' }).waitFor();
    await target('canary').filter({ hasText: 'done' }).waitFor();
    await target('rest').filter({ hasText: 'waiting' }).waitFor();
    await region('Stages')
      .locator('[aria-current=step]')
      .filter({ hasText: 'rest' })
      .filter({ hasText: 'waits at its entry' })
      .waitFor();
    await region('Log').getByText('approval was asked for').waitFor();
    expect(new URL(page.url()).searchParams.get('rollout')).toBe((await newest()).id);
  });

  it('say on the Application why it is not there yet', async () => {
    await button('web-rest').click();
    const panel = page.getByRole('dialog', { name: 'web-rest' });
    await panel.getByText('Its turn has not come').waitFor();
    await panel.getByRole('heading', { name: 'Why is it not there yet?' }).waitFor();
    await panel.getByText('muster rollout approve').first().waitFor();
    await page.keyboard.press('Escape');
  });

  it('are looked at by a viewer, who is told why they cannot approve', async () => {
    const viewer = await scene.openAsViewer();
    await viewer.goto(link((await newest()).id));
    const approve = viewer.getByRole('button', { name: 'Approve', exact: true });
    await approve.waitFor();
    expect(await approve.getAttribute('aria-disabled')).toBe('true');
    await viewer.getByText('This needs the role approver of the project default.').first().waitFor();
    await viewer.getByText('This needs the role operator of the project default.').first().waitFor();
    await approve.click({ force: true });
    expect(await viewer.getByRole('dialog').count()).toBe(0);
    await viewer.close();
  });

  it('are approved by a click with a reason, which the audit log keeps, and go on before the eyes', async () => {
    await button('Approve').click();
    const dialog = page.getByRole('dialog', { name: 'Approve gate sign-off of stage rest' });
    await dialog.getByText('Yours is the last that is needed: stage rest begins with 1 target.').waitFor();
    await dialog.getByLabel('Reason').fill('the canary sings');
    await dialog.getByRole('button', { name: 'Approve' }).click();
    await dialog.waitFor({ state: 'detached' });
    await target('rest').filter({ hasText: 'done' }).waitFor();
    await page.getByRole('heading', { name: /argocd\/web.*complete/ }).waitFor();
    await region('Log').getByText('by admin: “the canary sings”').first().waitFor();
    const { items } = await scene.client.audit({ limit: 50 });
    expect(items.find(({ action }) => action === 'rollout.approve')).toMatchObject({
      actor: 'admin',
      reason: 'the canary sings',
      details: { owner: 'argocd/web', gate: 'sign-off', stage: 'rest' },
    });
  });

  it('compare the releases that they lead from and to', async () => {
    await page.getByRole('link', { name: 'What is different' }).click();
    await region('Images').getByText('shop/web:1.1.0').waitFor();
    await button('Back to the rollout').click();
    await page.getByRole('heading', { name: /argocd\/web.*complete/ }).waitFor();
  });

  it('that fail say why, and that they went back', async () => {
    await button('All rollouts').click();
    await scene.repository.commit('broken', 'Winter sale');
    const row = page.locator('[data-rollout]').filter({ hasText: 'Winter sale' });
    await row.getByRole('link', { name: 'argocd/web' }).click();
    await region('Where it is').getByText('Stage canary failed').waitFor();
    await page.getByRole('heading', { name: /argocd\/web.*taken back/ }).waitFor();
    await target('canary').filter({ hasText: 'restored' }).waitFor();
    await region('Stages').getByText('never reached').waitFor();
    await button('web-canary').click();
    const panel = page.getByRole('dialog', { name: 'web-canary' });
    await panel.getByText(/Kept from its newest release: .*was taken back/).waitFor();
    await page.keyboard.press('Escape');
    await button('Roll out again').waitFor();
    await button('Go back to …').click();
    const dialog = page.getByRole('dialog');
    const choice = dialog.getByLabel('Release to go back to', { exact: true }).last();
    await choice.getByText('The shop opens').waitFor({ state: 'attached' });
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.body.dataset.unreloaded')).toBe('yes');
  });

  it('fit on a phone, and complain of nothing', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await target('canary').scrollIntoViewIfNeeded();
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });
});

describe('an address that is none', () => {
  it('is a page with a way home, and JSON for programs', async () => {
    await page.goto(`${scene.hub.url}/no/such/place`);
    await page.getByRole('heading', { name: 'There is nothing at this address' }).waitFor();
    await page.getByRole('link', { name: 'Show the fleet' }).click();
    await page.getByLabel('Fleet summary').waitFor();
    for (const path of ['/api/v1/nothing', '/no/such/place']) {
      const answer = await fetch(`${scene.hub.url}${path}`, { headers: { accept: 'application/json' } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        404,
        expect.stringMatching(/^application\/problem\+json/),
      ]);
    }
  });
});
