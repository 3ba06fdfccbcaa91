import { appendFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../src/index.ts';
import { complaintsOf, webSet } from './fixture.ts';
import { CLUSTER, Scene, WAIT, pointers } from './scene.ts';

const APPLICATION = `argocd/web-${CLUSTER}`;
const WEB = 'apps/Deployment/shop/web';
const HIDDEN = 'correct-horse-battery';

let scene: Scene;
let page: Page;
let complaints: string[];
let button: ReturnType<typeof pointers>['button'];
const asked: string[] = [];

beforeAll(async () => {
  scene = await Scene.start({ MUSTER_LEASE_SECONDS: '10' });
  await scene.join({ autoApprove: true });
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key' },
    stringData: { word: HIDDEN },
  };
  await scene.repository.commit('1.0.0', 'The shop opens', { secret });
  await scene.deploy([webSet(scene.repository.url)], [`web-${CLUSTER}`]);
  page = await scene.open();
  ({ button } = pointers(page));
  complaints = complaintsOf(page);
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
});

afterAll(async () => {
  await scene?.stop();
});

/** The address of an object: what somebody sends a colleague. */
const link = (object: string, tab?: string) =>
  `${scene.hub.url}/?${new URLSearchParams({ app: APPLICATION, object, ...(tab && { tab }) })}`;
const tree = () => page.getByRole('tree', { name: 'Objects' });
const looks = () => asked.filter((path) => path.includes('/resources/')).length;

describe('the objects of an Application', () => {
  it('are a tree on demand, walked by keyboard, filtered, down to a Pod', async () => {
    await page.locator(`[data-app="${APPLICATION}"]`).click();
    await button('Tree').waitFor();
    expect(looks()).toBe(0);
    await button('Tree').click();
    const pod = tree().getByRole('treeitem').filter({ hasText: 'Pod' });
    await pod.filter({ hasText: 'ready 1/1' }).filter({ hasText: 'Healthy' }).waitFor();
    expect(await pod.getAttribute('aria-level')).toBe('3');
    await page.getByLabel('Filter the tree').fill('deployment');
    await tree().getByRole('treeitem').filter({ hasText: 'Secret' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Pod shop\/web-/ }).waitFor();
    expect(new URL(page.url()).searchParams.get('object')).toMatch(/^\/Pod\/shop\/web-/);
  });

  it('tell the log of a Pod as it is written, and hang up on leaving', async () => {
    await page.getByRole('tab', { name: 'Logs' }).click();
    await page.getByText('0 lines', { exact: true }).waitFor();
    await appendFile(scene.plane.podLog, `${new Date().toISOString()} stdout F the shop is open\n`);
    await appendFile(scene.plane.podLog, `${new Date().toISOString()} stdout F a guest came in\n`);
    const log = page.getByRole('log');
    await log.getByText('the shop is open').waitFor();
    await page.getByLabel('Filter the lines').fill('GUEST');
    await page.getByText('1 of 2 lines').waitFor();
    await log.getByText('a guest came in').waitFor();
    const cut = page.waitForEvent('requestfailed', (request) => request.url().includes('/resources/logs'));
    await page.getByRole('tab', { name: 'Events' }).click();
    await page.getByText('Scheduled').first().waitFor();
    await cut;
  });

  it('are restarted with a reason, which the audit log keeps', async () => {
    await page.goto(link(WEB));
    await button('Restart').click();
    const dialog = page.getByRole('dialog', { name: 'Restart Deployment shop/web' });
    await dialog.getByLabel('Reason').fill('stuck connections');
    await dialog.getByRole('button', { name: 'Restart' }).click();
    await dialog.getByText('succeeded: ').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    const { items } = await scene.client.audit({ limit: 50 });
    expect(items.find(({ action }) => action === 'application.resource.restart')).toMatchObject({
      actor: 'admin',
      reason: 'stuck connections',
      details: { resource: WEB },
    });
    await page.getByText('muster.dev/restarted-by').waitFor();
  });

  it('show field by field what differs, and who wrote it', async () => {
    await scene.plane.kube.scale('apps/v1/Deployment', 'shop/web', 3);
    await page.getByRole('tab', { name: 'Diff' }).click();
    await page.getByText('It differs from what Git says.').waitFor();
    const field = page.getByRole('tabpanel').locator('li', { hasText: 'spec.replicas' });
    await field.filter({ hasText: '1 → 3' }).waitFor();
  });

  it('are deleted only when their name is typed', async () => {
    await page.goto(link('/Secret/shop/key'));
    await button('Delete').click();
    const dialog = page.getByRole('dialog', { name: 'Delete Secret shop/key' });
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('alert').filter({ hasText: 'Type key' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await scene.plane.kube.find('v1/Secret', 'shop/key')).toBeDefined();
  });

  it('mask the values of a Secret', async () => {
    const manifest = page.getByLabel('Manifest', { exact: true }).last();
    await manifest.getByText('••••••••').waitFor();
    await button('As Git says').click();
    await manifest.getByText('••••••••').waitFor();
    const text = await page.content();
    for (const value of [HIDDEN, Buffer.from(HIDDEN).toString('base64')]) expect(text).not.toContain(value);
  });

  it('stand in the place of the panel on a phone, and lead back to it', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await button('Back to the Application').click();
    await button('Tree').waitFor();
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('are asked for no more once the panel is closed', async () => {
    await button('Tree').click();
    await tree().waitFor();
    await page.keyboard.press('Escape');
    await tree().waitFor({ state: 'detached' });
    const before = looks();
    // Coming back to the window, and a change of the fleet, read the fleet again and no cluster.
    await scene.client.clusters.change(CLUSTER, { labels: { tier: 'gold' } });
    await page.locator(`[data-cluster="${CLUSTER}"]`).filter({ hasText: 'tier=gold' }).waitFor();
    expect(looks()).toBe(before);
    expect(complaints).toEqual([]);
  });

  it('are looked at by a viewer, who can neither restart them nor read their logs', async () => {
    const viewer = await scene.openAsViewer();
    await viewer.goto(link(WEB, 'logs'));
    await viewer.getByText('Reading logs needs the role operator').waitFor();
    await viewer.getByText('Acting on it needs the role operator').waitFor();
    expect(await viewer.getByRole('button', { name: 'Restart' }).count()).toBe(0);
    await viewer.getByRole('tab', { name: 'Manifest' }).click();
    await viewer.getByText('kind: Deployment').waitFor();
    await viewer.close();
  });

  it('are not there to look at when the agent is silent, and the hub says so', async () => {
    await scene.silence();
    const { clusters } = scene.client;
    const silent = async () => (await clusters.get(CLUSTER)).connection === 'silent';
    await eventually(silent, { what: 'the agent to be silent', timeout: WAIT });
    await page.goto(link(WEB));
    await page.getByRole('alert').filter({ hasText: 'silent' }).first().waitFor();
  });
});
