import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complaintsOf, deployment } from './fixture.ts';
import { CLUSTER, Scene, overflow, pointers } from './scene.ts';

const ENVIRONMENTS = ['staging', 'prod'];

let scene: Scene;
let page: Page;
let complaints: string[];
let button: ReturnType<typeof pointers>['button'];
let dialog: ReturnType<typeof pointers>['dialog'];
let region: ReturnType<typeof pointers>['region'];
let viewer: Page;

/** `web-NAME` from the folder `envs/NAME`, in a namespace of its own. */
const application = (name: string) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: `web-${name}`, namespace: 'argocd' },
  spec: {
    project: 'default',
    source: { repoURL: scene.repository.url, targetRevision: 'main', path: `envs/${name}` },
    destination: { name: CLUSTER, namespace: name },
    syncPolicy: { automated: { prune: true }, syncOptions: ['CreateNamespace=true'] },
  },
});
const HIDDEN = ['correct-horse-battery', 'staple-correct-horse'] as const;
const files = (name: string, tag: string, hidden: string) => ({
  [`envs/${name}/web.yaml`]: deployment(tag),
  [`envs/${name}/key.yaml`]: {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key' },
    stringData: { word: hidden },
  },
});

beforeAll(async () => {
  scene = await Scene.start({ MUSTER_POLL_SECONDS: '1', MUSTER_PROMOTION_SECONDS: '1' });
  await scene.join({ autoApprove: true });
  const all = ENVIRONMENTS.map((name) => files(name, '1.0.0', HIDDEN[0]));
  await scene.repository.write(Object.assign({}, ...all), 'The shop opens');
  await scene.deploy(
    ENVIRONMENTS.map((name) => application(name)),
    ENVIRONMENTS.map((name) => `web-${name}`),
  );
  page = await scene.open();
  ({ button, dialog, region } = pointers(page));
  complaints = complaintsOf(page);
});

afterAll(async () => {
  await scene?.stop();
});

const panelOf = async (name: string) => {
  await page.goto(`${scene.hub.url}/?app=argocd/${name}`);
  return dialog(name);
};

describe('a pin', () => {
  it('is set from the page with release, time and reason, and says who set it and until when', async () => {
    await scene.repository.write(files('staging', '1.1.0', HIDDEN[1]), 'Autumn sale');
    const panel = await panelOf('web-staging');
    await panel.getByText('Autumn sale').first().waitFor();
    await panel.getByRole('button', { name: 'Pin …' }).click();
    const form = dialog('Pin web-staging');
    const choice = form.getByLabel('Release', { exact: true }).last();
    await choice.getByText('The shop opens').waitFor({ state: 'attached' });
    await choice.selectOption('1');
    await form.getByLabel('For how long', { exact: true }).last().selectOption('4h');
    await form.getByRole('button', { name: 'Pin' }).click();
    await form.getByRole('alert').filter({ hasText: 'Say why' }).waitFor();
    await form.getByLabel('Reason').fill('incident 42');
    await form.getByRole('button', { name: 'Pin' }).click();
    await form.waitFor({ state: 'detached' });
    await panel.getByRole('status').filter({ hasText: 'Pinned at release #1' }).waitFor();
    await panel.getByRole('heading', { name: 'Pinned' }).waitFor();
    for (const text of [/Kept at release #1/, 'incident 42', /it ends by itself in 3 h/])
      await panel.getByText(text).first().waitFor();
    const { items } = await scene.client.audit({ limit: 50 });
    expect(items.find(({ action }) => action === 'application.pin')).toMatchObject({
      actor: 'admin',
      reason: 'incident 42',
      object: 'application/argocd/web-staging',
    });
  });

  it('is seen by a viewer, who is told why they cannot let go of it', async () => {
    viewer = await scene.openAsViewer();
    await viewer.goto(`${scene.hub.url}/?app=argocd/web-staging`);
    const unpin = viewer.getByRole('button', { name: 'Unpin …' });
    await unpin.waitFor();
    expect(await unpin.getAttribute('aria-disabled')).toBe('true');
    expect(await unpin.getAttribute('aria-description')).toBe(
      'This needs the role operator of the project default.',
    );
    await viewer.getByText('This needs the role operator of the project default.').first().waitFor();
  });

  it('is let go of with a reason, and the newest release comes', async () => {
    const panel = dialog('web-staging');
    await panel.getByRole('button', { name: 'Unpin …' }).click();
    const form = dialog('Let go of web-staging');
    await form.getByLabel('Reason').fill('fixed');
    await form.getByRole('button', { name: 'Unpin' }).click();
    await panel.getByRole('status').filter({ hasText: 'Let go of' }).waitFor();
    await panel.getByRole('heading', { name: 'Pinned' }).waitFor({ state: 'detached' });
    await panel.getByText('Synced', { exact: true }).first().waitFor();
    await page.keyboard.press('Escape');
  });
});

/** What is healthy in staging goes on to production, by a commit and with an approval. */
const promotion = () => ({
  apiVersion: 'muster.dev/v1alpha1',
  kind: 'Promotion',
  metadata: { name: 'web' },
  spec: {
    repository: scene.repository.url,
    environments: [
      { name: 'staging', application: 'web-staging', path: 'envs/staging' },
      {
        name: 'prod',
        application: 'web-prod',
        path: 'envs/prod',
        production: true,
        change: { mode: 'commit', copy: {} },
      },
    ],
  },
});

describe('promotions', () => {
  const prod = () => region('prod');

  it('are none at first, and it says what to do', async () => {
    await page.goto(scene.hub.url);
    await button('Rollouts').click();
    await button('Promotions').click();
    await page.getByRole('heading', { name: 'No promotions yet' }).waitFor();
    await page.evaluate(`document.body.dataset.unreloaded = 'yes'`);
  });

  it('appear by themselves, environments left to right, and say what is waited for', async () => {
    await scene.client.repositories.add({ url: scene.repository.url, write: true });
    await scene.client.apply({ documents: [promotion()] });
    const row = page.locator('[data-promotion=web]');
    await row
      .filter({ hasText: 'waits for an approval' })
      .filter({ hasText: /staging.*prod/ })
      .waitFor();
    await page.getByRole('group', { name: 'Promotions', exact: true }).waitFor();
    await button('1 waits for an approval').click();
    await row.getByRole('link', { name: 'web' }).click();
    await page.getByRole('heading', { name: /web.*waits for an approval/ }).waitFor();
    expect(new URL(page.url()).searchParams.get('promotion')).toBe('web');
    await region('staging').getByText('is healthy everywhere').waitFor();
    await prod().getByText('Waits for 1 approval until').waitFor();
    await page.getByText(/observed \d+ s ago/).waitFor();
  });

  it('are looked at by a viewer, who is told why they cannot approve', async () => {
    await viewer.goto(`${scene.hub.url}/?promotion=web`);
    const approve = viewer.getByRole('button', { name: 'Approve', exact: true });
    await approve.waitFor();
    expect(await approve.getAttribute('aria-disabled')).toBe('true');
    await viewer.getByText('This needs the role approver of the project default.').first().waitFor();
    await viewer.close();
  });

  it('compare what an environment has with what comes to it: commits, images, manifests, no secrets', async () => {
    await prod().getByRole('link', { name: 'What is different' }).click();
    await region('Summary').getByText('Of the targets 1 changed, on 1 cluster.').waitFor();
    await region('Commits').getByText('Autumn sale').waitFor();
    await region('Images').getByText('shop/web:1.1.0').waitFor();
    const lines = page.getByLabel('Difference of Deployment', { exact: false });
    await lines.getByText(/\+.*image: shop\/web:1\.1\.0/).waitFor();
    await page.getByLabel('Difference of Secret', { exact: false }).waitFor();
    const text = await page.content();
    for (const word of HIDDEN)
      for (const value of [word, Buffer.from(word).toString('base64')]) expect(text).not.toContain(value);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 900 });
    await button('Swap').click();
    await region('Commits').getByText('B is older than A.').waitFor();
    await page.getByLabel('b', { exact: true }).fill('argocd/web-staging#99');
    await button('Compare').click();
    await page.getByRole('alert').filter({ hasText: '99' }).waitFor();
    await button('Back to web').click();
    await prod().getByText('Waits for 1 approval until').waitFor();
  });

  it('are rejected with a reason, and ask again', async () => {
    await prod().getByRole('button', { name: 'Reject' }).click();
    const form = dialog('Reject the change for prod');
    await form.getByLabel('Reason').fill('not today');
    await form.getByRole('button', { name: 'Reject' }).click();
    await prod().getByText('rejected by admin: not today').waitFor();
    await prod().getByRole('button', { name: 'Ask again' }).click();
    await dialog('Ask again: prod').getByRole('button', { name: 'Ask again' }).click();
    await prod().getByRole('button', { name: 'Approve' }).waitFor();
    await region('What happened').getByText('rejected by admin: not today').waitFor();
  });

  it('are approved by a click with a reason, and the change is made before the eyes', async () => {
    await prod().getByRole('button', { name: 'Approve' }).click();
    const form = dialog('Approve the change for prod');
    await form.getByText(/Yours is the last that is needed: release 2/).waitFor();
    await form.getByLabel('Reason').fill('staging sings');
    await form.getByRole('button', { name: 'Approve' }).click();
    await prod().getByText('promoted').waitFor();
    await page.getByRole('group', { name: 'Promotions', exact: true }).waitFor({ state: 'detached' });
    await prod()
      .getByText(/^release 2 .* is healthy everywhere$/)
      .waitFor();
    const { items } = await scene.client.audit({ limit: 50 });
    expect(items.find(({ action }) => action === 'promotion.approve')).toMatchObject({
      actor: 'admin',
      reason: 'staging sings',
      object: 'promotion/web',
      details: { environment: 'prod' },
    });
    expect(await page.evaluate('document.body.dataset.unreloaded')).toBe('yes');
  });

  it('are paused and resumed, and one that is not there says so', async () => {
    await button('Pause').click();
    await dialog('Pause the promotion web').getByLabel('Reason').fill('holidays');
    await dialog('Pause the promotion web').getByRole('button', { name: 'Pause' }).click();
    await page.getByText(/Paused by admin .*: holidays/).waitFor();
    await button('Resume').click();
    await dialog('Resume the promotion web').getByRole('button', { name: 'Resume' }).click();
    await button('Pause').waitFor();
    await page.goto(`${scene.hub.url}/?promotion=none`);
    await page.getByRole('alert').filter({ hasText: 'none' }).waitFor();
    await button('All promotions').click();
    await page.locator('[data-promotion=web]').waitFor();
  });
});

describe('all of it', () => {
  it('fits on a phone, and complains of nothing', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    await page.goto(`${scene.hub.url}/?promotion=web`);
    await region('prod').waitFor();
    expect(await page.title()).toBe('web · Muster');
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    // States are seen without scrolling sideways, also within the matrix and the list.
    for (const view of ['', '?view=list']) {
      await page.goto(`${scene.hub.url}/${view}`);
      const row = page.getByRole('row').filter({ has: page.locator('[data-app="argocd/web-prod"]') });
      for (const word of ['Synced', 'Healthy']) {
        const box = await row.getByText(word, { exact: true }).last().boundingBox();
        expect(box!.x + box!.width).toBeLessThanOrEqual(390);
      }
    }
    expect(complaints).toEqual([]);
    await button('Matrix').waitFor();
  });
});
