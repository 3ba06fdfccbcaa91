import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HubClient, hubClient } from '@muster/api/client';
import type { Browser, Locator, Page } from 'playwright-core';
import {
  type ControlPlane,
  type Hub,
  type Running,
  eventually,
  installAgent,
  startControlPlane,
  startHub,
} from '../src/index.ts';
import { TestRepository, launchChromium } from './fixture.ts';

/** The one cluster of a scene. */
export const CLUSTER = 'prod-eu-1';
/** What a page may take to show something. */
export const WAIT = 60_000;

/** A hub, a cluster and a Chromium, as every test of the page has them. Stop it, also when a test has failed. */
export class Scene {
  readonly dir: string;
  readonly hub: Hub;
  readonly plane: ControlPlane;
  readonly browser: Browser;
  /** As admin. */
  readonly client: HubClient;
  readonly repository: TestRepository;
  #agent: Running | undefined;

  private constructor(parts: Pick<Scene, 'dir' | 'hub' | 'plane' | 'browser' | 'client'>) {
    this.dir = parts.dir;
    this.hub = parts.hub;
    this.plane = parts.plane;
    this.browser = parts.browser;
    this.client = parts.client;
    this.repository = new TestRepository(join(parts.dir, 'shop'));
  }

  /** `env`: settings of the hub. */
  static async start(env: Record<string, string> = {}): Promise<Scene> {
    const dir = await mkdtemp(join(tmpdir(), 'muster-page-'));
    const starting = [
      startHub({ dir: join(dir, 'hub'), env: { MUSTER_ALLOW_FILE_REPOSITORIES: 'true', ...env } }),
      startControlPlane({ name: CLUSTER, dir: join(dir, 'cluster') }),
      launchChromium(),
    ] as const;
    try {
      const [hub, plane, browser] = await Promise.all(starting);
      const client = await loggedIn(hub, 'admin', hub.adminPassword);
      return new Scene({ dir, hub, plane, browser, client });
    } catch (error) {
      const [hub, plane, browser] = await Promise.allSettled(starting);
      if (browser.status === 'fulfilled') await browser.value.close();
      if (hub.status === 'fulfilled') await hub.value.stop();
      if (plane.status === 'fulfilled') await plane.value.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    const all = [this.browser.close(), this.#agent?.stop(), this.hub.stop(), this.plane.stop()];
    const stopped = await Promise.allSettled(all);
    for (const one of stopped) if (one.status === 'rejected') throw one.reason;
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Has the cluster join; unless it is approved by itself somebody has to. */
  async join(how: { autoApprove?: boolean; labels?: Record<string, string> } = {}): Promise<void> {
    const { token, hub: at } = await this.client.joinTokens.create({ name: CLUSTER, ...how });
    const installed = await installAgent({
      kube: this.plane.kube,
      dir: join(this.dir, 'agent'),
      invitation: { token, ...at },
    });
    this.#agent = await installed.start(join(this.dir, 'agent.log'));
  }

  /** Ends the agent at once: the cluster falls silent. */
  async silence(): Promise<void> {
    await this.#agent?.kill();
    this.#agent = undefined;
  }

  /** Applies documents, and waits until Applications are Synced and Healthy. */
  async deploy(documents: Record<string, unknown>[], names: readonly string[]): Promise<void> {
    await this.client.apply({ documents });
    for (const name of names)
      await eventually(
        async () => {
          const { sync, health } = await this.client.applications.get('argocd', name);
          return sync === 'Synced' && health === 'Healthy';
        },
        { what: `${name} to be Synced and Healthy`, timeout: WAIT },
      );
  }

  /** A page of its own, logged in by its form. */
  async open(name = 'admin', password = this.hub.adminPassword): Promise<Page> {
    const page = await this.browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(WAIT);
    await page.goto(this.hub.url);
    await logIn(page, name, password);
    await page.getByLabel('Fleet summary').waitFor();
    return page;
  }

  /** The page of somebody who may look and do nothing. */
  async openAsViewer(): Promise<Page> {
    await this.client.users.create({ name: 'vera', password: 'vera-password-1' });
    await this.client.roleBindings.create({ user: 'vera', role: 'viewer' });
    return await this.open('vera', 'vera-password-1');
  }
}

async function loggedIn(hub: Hub, name: string, password: string): Promise<HubClient> {
  const { cookie } = await hubClient({ hub: hub.url }).session.login({ name, password });
  return hubClient({ hub: hub.url, cookie });
}

/** Fills the form of the login and sends it. */
export async function logIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** What tests of one page point at. */
export function pointers(page: Page) {
  return {
    button: (name: string): Locator => page.getByRole('button', { name, exact: true }),
    region: (name: string): Locator => page.getByRole('region', { name, exact: true }),
    dialog: (name?: string): Locator => page.getByRole('dialog', name === undefined ? {} : { name }),
  };
}

/** How many pixels of a page are out of sight at its right. */
export async function overflow(page: Page): Promise<number> {
  return (await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')) as number;
}
