import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, type Page, chromium } from 'playwright-core';

const run = promisify(execFile);

/** The system's Chromium, without calls home. Throws when none is on PATH. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: onPath(['chromium', 'chromium-browser', 'google-chrome']),
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function onPath(names: readonly string[]): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // not in this folder
      }
    }
  }
  throw new Error(`none of ${names.join(', ')} is on PATH`);
}

/** What a page complains about; a login that is not there yet is no complaint. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const unfriendly = message.type() === 'error' || message.type() === 'warning';
    // Chromium reports every answer of 400 and above, and streams that a stopped hub cut.
    if (unfriendly && !/Failed to load resource|ERR_/.test(message.text())) complaints.push(message.text());
  });
  return complaints;
}

/** A Git repository whose main branch is checked out; what is pushed to it appears there. */
export class TestRepository {
  readonly url: string;
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    this.url = pathToFileURL(dir).href;
  }

  /** Commits the Deployment of `web/` with an image tag, and other objects by file name; answers the commit. */
  commit(tag: string, message: string, more: Record<string, object> = {}): Promise<string> {
    const objects = Object.entries({ deployment: deployment(tag), ...more });
    return this.write(Object.fromEntries(objects.map(([name, one]) => [`web/${name}.yaml`, one])), message);
  }

  /** Commits objects by their paths; answers the commit. */
  async write(files: Record<string, object>, message: string): Promise<string> {
    await mkdir(this.#dir, { recursive: true });
    await this.#git('init', '--quiet', '--initial-branch=main');
    await this.#git('config', 'receive.denyCurrentBranch', 'updateInstead');
    for (const [path, object] of Object.entries(files)) {
      await mkdir(join(this.#dir, dirname(path)), { recursive: true });
      await writeFile(join(this.#dir, path), JSON.stringify(object));
    }
    await this.#git('add', '--all');
    const author = ['-c', 'user.name=Grace Hopper', '-c', 'user.email=grace@example.com'];
    await this.#git(...author, '-c', 'commit.gpgsign=false', 'commit', '--quiet', '-m', message);
    return await this.#git('rev-parse', 'HEAD');
  }

  async #git(...args: string[]): Promise<string> {
    return (await run('git', ['-C', this.#dir, ...args])).stdout.trim();
  }
}

/** The Deployment `web` with an image tag. */
export function deployment(tag: string) {
  const labels = { app: 'web' };
  const containers = [{ name: 'web', image: `shop/web:${tag}` }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

/** An ApplicationSet over all clusters that applies by itself and leaves drift where it is. */
export function webSet(repoURL: string): Record<string, unknown> {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'web', namespace: 'argocd' },
    spec: {
      generators: [{ clusters: {} }],
      template: {
        metadata: { name: 'web-{{name}}' },
        spec: {
          project: 'default',
          source: { repoURL, targetRevision: 'main', path: 'web' },
          destination: { server: '{{server}}', namespace: 'shop' },
          syncPolicy: { automated: { prune: true }, syncOptions: ['CreateNamespace=true'] },
        },
      },
    },
  };
}
