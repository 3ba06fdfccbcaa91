import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../src/index.ts';
import { complaintsOf, webSet } from './fixture.ts';
import { CLUSTER, Scene, WAIT, logIn } from './scene.ts';

const APPLICATION = `argocd/web-${CLUSTER}`;

let scene: Scene;
let restarted: Hub | undefined;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  scene = await Scene.start({ MUSTER_POLL_SECONDS: '2', MUSTER_LEASE_SECONDS: '10' });
  page = await scene.browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(WAIT);
  complaints = complaintsOf(page);
});

afterAll(async () => {
  await restarted?.stop();
  await scene?.stop();
});

const cell = () => page.locator(`[data-app="${APPLICATION}"]`);
const live = () => page.locator('[role=status][data-live=true]');
const panel = () => page.getByRole('dialog');
const seen = (text: string | RegExp) => cell().filter({ hasText: text }).waitFor();

describe('the page, from an empty hub to a silent cluster, never reloaded', () => {
  it('refuses a wrong password in words, and lets the right one in', async () => {
    await page.goto(scene.hub.url);
    await logIn(page, 'admin', 'not this one');
    await page.getByRole('alert').waitFor();
    await logIn(page, 'admin', scene.hub.adminPassword);
    await page.getByRole('heading', { name: 'No cluster has joined yet' }).waitFor();
    await page.getByText('muster cluster join-token create').waitFor();
    await live().waitFor();
    await page.evaluate(`document.body.dataset.unreloaded = 'yes'`);
  });

  it('shows a cluster that asks to join, and approves it', async () => {
    await scene.join({ labels: { env: 'prod' } });
    const row = page.locator(`[data-cluster="${CLUSTER}"]`);
    await row.filter({ hasText: 'pending approval' }).waitFor();
    await row.filter({ hasText: 'env=prod' }).waitFor();
    await row.click();
    await panel()
      .getByRole('button', { name: `Approve ${CLUSTER}` })
      .click();
    await panel().getByText('connected', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await panel().waitFor({ state: 'hidden' });
    await row.filter({ hasText: 'connected' }).filter({ hasText: 'v1.' }).waitFor();
  });

  it('shows an Application become Synced and Healthy', async () => {
    const commit = await scene.repository.commit('1.0.0', 'The shop opens');
    await scene.client.apply({ documents: [webSet(scene.repository.url)] });
    await seen(/Synced\s*Healthy/);
    await seen(commit.slice(0, 7));
  });

  it('shows a new commit arrive, and says what it is', async () => {
    const commit = await scene.repository.commit('1.1.0', 'Autumn sale');
    await seen(commit.slice(0, 7));
    await seen(/Synced\s*Healthy/);
    await cell().click();
    await panel().getByText('Autumn sale').first().waitFor();
    await panel().getByText('Grace Hopper').first().waitFor();
    await panel().getByText('Deployment', { exact: true }).waitFor();
  });

  it('shows drift by field, and puts it right on Sync', async () => {
    await scene.plane.kube.scale('apps/v1/Deployment', 'shop/web', 3);
    await seen('OutOfSync');
    const drift = panel().locator('li', { hasText: 'spec.replicas' });
    await drift.filter({ hasText: '1 → 3' }).waitFor();
    await panel().getByRole('button', { name: 'Sync' }).click();
    await panel()
      .getByText(/Sync succeeded/)
      .waitFor();
    await seen(/Synced\s*Healthy/);
    await drift.waitFor({ state: 'hidden' });
  });

  it('is used by keyboard, and filters the list by state in the address', async () => {
    await page.keyboard.press('Escape');
    await panel().waitFor({ state: 'hidden' });
    // The keyboard alone leads back to where it was.
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await panel()
      .getByRole('heading', { name: `web-${CLUSTER}` })
      .waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Applications', exact: true }).click();
    await cell().waitFor();
    await page.getByLabel('Sync', { exact: true }).selectOption('OutOfSync');
    await page.getByRole('heading', { name: 'No Application matches these filters' }).waitFor();
    expect(new URL(page.url()).searchParams.get('sync')).toBe('OutOfSync');
    await page.getByRole('button', { name: 'Matrix' }).click();
    await page.getByRole('button', { name: 'Clear' }).click();
    await cell().waitFor();
  });

  it('turns grey with Unknown since when the agent falls silent', async () => {
    await scene.silence();
    await seen('Unknown since');
    await page.locator(`[data-cluster="${CLUSTER}"]`).filter({ hasText: 'Unknown since' }).waitFor();
    expect(await cell().textContent()).not.toContain('Healthy');
    await page.getByLabel('Fleet summary').getByRole('button', { name: '1 silent' }).waitFor();
  });

  it('says when it is not live, and catches up when the hub is back', async () => {
    await scene.hub.stop();
    await page.getByRole('status').filter({ hasText: 'Not live' }).waitFor();
    restarted = await startHub({ dir: scene.hub.dir });
    await live().waitFor();
    await scene.client.clusters.change(CLUSTER, { labels: { env: 'prod', tier: 'gold' } });
    await page.locator(`[data-cluster="${CLUSTER}"]`).filter({ hasText: 'tier=gold' }).waitFor();
  });

  it('did all of it without a reload, and within the content security policy', async () => {
    expect(await page.evaluate('document.body.dataset.unreloaded')).toBe('yes');
    expect(complaints).toEqual([]);
  });

  it('ends the session on logout', async () => {
    await page.getByRole('button', { name: 'admin' }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
  });
});
