import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HubClient, hubClient } from '@muster/api/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ControlPlane,
  type Hub,
  type Running,
  installAgent,
  startControlPlane,
  startHub,
} from '../src/index.ts';
import { TestRepository, complaintsOf, launchChromium, webSet } from './fixture.ts';

const CLUSTER = 'prod-eu-1';
const APPLICATION = `argocd/web-${CLUSTER}`;
const WAIT = 60_000;

let dir: string;
let hub: Hub;
let plane: ControlPlane;
let agent: Running | undefined;
let browser: Browser;
let page: Page;
let complaints: string[];
let client: HubClient;
let repository: TestRepository;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-page-'));
  repository = new TestRepository(join(dir, 'shop'));
  const env = {
    MUSTER_POLL_SECONDS: '2',
    MUSTER_LEASE_SECONDS: '10',
    MUSTER_ALLOW_FILE_REPOSITORIES: 'true',
  };
  [hub, plane, browser] = await Promise.all([
    startHub({ dir: join(dir, 'hub'), env }),
    startControlPlane({ name: CLUSTER, dir: join(dir, 'cluster') }),
    launchChromium(),
  ]);
  const { cookie } = await hubClient({ hub: hub.url }).session.login({
    name: 'admin',
    password: hub.adminPassword,
  });
  client = hubClient({ hub: hub.url, cookie });
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(WAIT);
  complaints = complaintsOf(page);
});

afterAll(async () => {
  await browser?.close();
  await agent?.stop();
  await hub?.stop();
  await plane?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const cell = () => page.locator(`[data-app="${APPLICATION}"]`);
const live = () => page.locator('[role=status][data-live=true]');
const panel = () => page.getByRole('dialog');
const seen = (text: string | RegExp) => cell().filter({ hasText: text }).waitFor();

describe('the page, from an empty hub to a silent cluster, never reloaded', () => {
  it('refuses a wrong password in words, and lets the right one in', async () => {
    await page.goto(hub.url);
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password').fill('not this one');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password').fill(hub.adminPassword);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'No cluster has joined yet' }).waitFor();
    await page.getByText('muster cluster join-token create').waitFor();
    await live().waitFor();
    await page.evaluate(`document.body.dataset.unreloaded = 'yes'`);
  });

  it('shows a cluster that asks to join, and approves it', async () => {
    const { token, hub: at } = await client.joinTokens.create({ name: CLUSTER, labels: { env: 'prod' } });
    const installed = await installAgent({
      kube: plane.kube,
      dir: join(dir, 'agent'),
      invitation: { token, ...at },
    });
    agent = await installed.start(join(dir, 'agent.log'));
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
    const commit = await repository.commit('1.0.0', 'The shop opens');
    await client.apply({ documents: [webSet(repository.url)] });
    await seen(/Synced\s*Healthy/);
    await seen(commit.slice(0, 7));
  });

  it('shows a new commit arrive, and says what it is', async () => {
    const commit = await repository.commit('1.1.0', 'Autumn sale');
    await seen(commit.slice(0, 7));
    await seen(/Synced\s*Healthy/);
    await cell().click();
    await panel().getByText('Autumn sale').first().waitFor();
    await panel().getByText('Grace Hopper').first().waitFor();
    await panel().getByText('Deployment', { exact: true }).waitFor();
  });

  it('shows drift by field, and puts it right on Sync', async () => {
    await plane.kube.scale('apps/v1/Deployment', 'shop/web', 3);
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
    await agent!.kill();
    await seen('Unknown since');
    await page.locator(`[data-cluster="${CLUSTER}"]`).filter({ hasText: 'Unknown since' }).waitFor();
    expect(await cell().textContent()).not.toContain('Healthy');
    await page.getByLabel('Fleet summary').getByRole('button', { name: '1 silent' }).waitFor();
  });

  it('says when it is not live, and catches up when the hub is back', async () => {
    await hub.stop();
    await page.getByRole('status').filter({ hasText: 'Not live' }).waitFor();
    hub = await startHub({ dir: hub.dir });
    await live().waitFor();
    await client.clusters.change(CLUSTER, { labels: { env: 'prod', tier: 'gold' } });
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
