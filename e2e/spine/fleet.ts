import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ApplicationView, ClusterView, CreatedJoinToken, NewJoinToken } from '@muster/api';
import { type HubClient, hubClient } from '@muster/api/client';
import { Client } from 'pg';
import {
  type ControlPlane,
  type Hub,
  type InstalledAgent,
  type KubeClient,
  type Redis,
  type Running,
  eventually,
  installAgent,
  startControlPlane,
  startHub,
  startRedis,
} from '../src/index.ts';
import type { Document } from './testing/documents.ts';
import { type Files, Repository } from './testing/repository.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const WEBHOOK_SECRET = 'a webhook secret of the tests';

/** Short enough to be seen by a test, long enough for a machine under load. */
export const LEASE_SECONDS = 4;
const GRACE_SECONDS = 4;

const CLUSTERS: Record<string, Record<string, string>> = {
  dev: { env: 'dev', region: 'eu-central' },
  staging: { env: 'staging', region: 'eu-central' },
  prod: { env: 'prod', region: 'eu-west' },
};

interface FleetOptions {
  /** Further settings of the hub. */
  env?: Record<string, string>;
  /** Clusters whose agents get the chart's narrower preset: rights in these namespaces only. */
  namespaces?: Record<string, string[]>;
  /** Of dev, staging and prod (all of them where not given), or others with their labels. */
  clusters?: string[] | Record<string, Record<string, string>>;
  /** Further values of the agents' chart. */
  values?: Record<string, unknown>;
}

/** A cluster with its agent, which runs beside it with the rights of the chart's ServiceAccount. */
interface Member {
  readonly name: string;
  readonly plane: ControlPlane;
  readonly kube: KubeClient;
  readonly labels: Record<string, string>;
  installed: InstalledAgent;
  agent: Running;
  readonly log: string;
}

/**
 * Starts a hub, real control planes and their agents, enrolled by a join token, and a Git repository. Once a test file;
 * `stop` ends it all.
 */
export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  // MUSTER_TEST_QUEUE says what carries the hub's work.
  const isRedis = process.env.MUSTER_TEST_QUEUE === 'redis';
  const dir = await mkdtemp(join(tmpdir(), 'muster-spine-'));
  const redis = isRedis ? await startRedis({ dir: join(dir, 'redis') }) : undefined;
  const env = {
    MUSTER_POLL_SECONDS: '1',
    MUSTER_LEASE_SECONDS: String(LEASE_SECONDS),
    MUSTER_DELETION_GRACE_SECONDS: String(GRACE_SECONDS),
    MUSTER_WEBHOOK_SECRET_GITHUB: WEBHOOK_SECRET,
    MUSTER_ALLOW_FILE_REPOSITORIES: 'true',
    ...(redis ? { REDIS_URL: redis.url } : {}),
    ...options.env,
  };
  const { clusters = CLUSTERS } = options;
  const labels = Array.isArray(clusters)
    ? Object.fromEntries(clusters.map((name) => [name, CLUSTERS[name] ?? {}]))
    : clusters;
  const names = Object.keys(labels);
  const repository = await Repository.create(join(dir, 'repository'));
  const started = await Promise.allSettled([
    startHub({ dir: join(dir, 'hub'), env }),
    ...names.map((name) =>
      startControlPlane({ name, dir: join(dir, 'clusters', name), labels: labels[name]! }),
    ),
  ]);
  const [hub, ...planes] = started.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  const fleet = new Fleet(dir, env, hub as Hub, redis, repository);
  const failed = started.find((one) => one.status === 'rejected');
  try {
    if (failed) throw failed.reason;
    await fleet.logIn();
    await Promise.all(
      (planes as ControlPlane[]).map((plane) =>
        fleet.join(plane, options.namespaces?.[plane.name], options.values),
      ),
    );
    await fleet.connected(...names);
    return fleet;
  } catch (error) {
    await Promise.all((planes as (ControlPlane | undefined)[]).map((plane) => plane?.stop()));
    await fleet.stop();
    throw error;
  }
}

/** A hub with its clusters, and what tests do to them. */
export class Fleet {
  readonly dir: string;
  readonly redis: Redis | undefined;
  readonly repository: Repository;
  readonly members: Record<string, Member> = {};
  readonly #env: Record<string, string>;
  hub: Hub;
  client!: HubClient;

  constructor(
    dir: string,
    env: Record<string, string>,
    hub: Hub,
    redis: Redis | undefined,
    repository: Repository,
  ) {
    this.dir = dir;
    this.#env = env;
    this.hub = hub;
    this.redis = redis;
    this.repository = repository;
  }

  /** The members in the order of their names as started. */
  get all(): Member[] {
    return Object.values(this.members);
  }

  member(name: string): Member {
    const member = this.members[name];
    if (!member) throw new Error(`there is no cluster ${name}`);
    return member;
  }

  kube(name: string): KubeClient {
    return this.member(name).kube;
  }

  /** Becomes admin; anew after the database was emptied. */
  async logIn(): Promise<void> {
    this.client = await this.as('admin', this.hub.adminPassword);
  }

  /** A client with a session of its own. */
  async as(name: string, password: string): Promise<HubClient> {
    const { cookie } = await hubClient({ hub: this.hub.url }).session.login({ name, password });
    return hubClient({ hub: this.hub.url, ...(cookie ? { cookie } : {}) });
  }

  invite(name: string, more: Partial<NewJoinToken> = {}): Promise<CreatedJoinToken> {
    return this.client.joinTokens.create({
      name,
      labels: CLUSTERS[name] ?? {},
      autoApprove: true,
      ...more,
    });
  }

  /** Enrols a control plane as a user would, and starts its agent. */
  async join(
    plane: ControlPlane,
    namespaces: string[] = [],
    values: Record<string, unknown> = {},
  ): Promise<Member> {
    const { token, hub } = await this.invite(plane.name, { labels: plane.labels });
    const folder = join(this.dir, 'agents', plane.name);
    const log = join(folder, 'agent.log');
    const invitation = { token, ...hub };
    const installed = await installAgent({ kube: plane.kube, dir: folder, invitation, namespaces, values });
    const agent = await installed.start(log);
    const { name, labels, kube } = plane;
    return (this.members[name] = { name, labels, plane, kube, installed, agent, log });
  }

  /** A new process with the same environment. */
  async startAgent(name: string): Promise<void> {
    const member = this.member(name);
    member.agent = await member.installed.start(member.log);
  }

  cluster(name: string): Promise<ClusterView> {
    return this.client.clusters.get(name);
  }

  /** Waits until the clusters are accepted and their agents connected. */
  async connected(...names: string[]): Promise<void> {
    await eventually(
      async (see) => {
        for (const name of names) {
          const { agent } = this.member(name);
          if (agent.exit()) throw new Error(`the agent of ${name} has ended: ${await agent.tail()}`);
        }
        const { items } = await this.client.clusters.list();
        const found = items.filter(
          (one) => names.includes(one.name) && one.state === 'active' && one.connection === 'connected',
        );
        see(items.map(({ name, state, connection }) => `${name}: ${state}, ${connection}`));
        return found.length === names.length;
      },
      { what: `${names.join(', ')} to be connected`, timeout: 60_000 },
    );
  }

  /** Applies documents; those without a namespace are in `argocd`. */
  apply(...documents: Document[]) {
    return this.client.apply({ documents });
  }

  app(name: string): Promise<ApplicationView> {
    return this.client.applications.get('argocd', name);
  }

  /** The Application, or undefined when there is none. */
  findApp(name: string): Promise<ApplicationView | undefined> {
    return this.app(name).catch((error: { code?: string }) => {
      if (error.code === 'not-found') return undefined;
      throw error;
    });
  }

  /** Waits until an Application is as described; the message of a failure shows it as it was. */
  async until(
    name: string,
    what: string,
    is: (app: ApplicationView) => unknown,
    timeout = 40_000,
  ): Promise<ApplicationView> {
    return eventually(
      async (see) => {
        const app = await this.app(name);
        const { sync, health, revision, conditions, operation, leaving, healthMessage } = app;
        const commit = revision?.commit.slice(0, 7);
        see({ sync, health, healthMessage, commit, conditions, operation, leaving });
        return is(app) ? app : undefined;
      },
      { what: `the Application ${name} ${what}`, timeout },
    );
  }

  /** Waits until Applications are Synced and Healthy, from a commit where one is given. */
  async synced(names: string | string[], commit?: string): Promise<void> {
    for (const name of [names].flat()) {
      await this.until(
        name,
        'to be Synced and Healthy',
        (app) =>
          app.sync === 'Synced' &&
          app.health === 'Healthy' &&
          app.operation?.phase !== 'Running' &&
          (commit === undefined || app.revision?.commit === commit),
      );
    }
  }

  /** Waits for a condition whose message matches. */
  async condition(name: string, message: RegExp): Promise<{ type: string; message: string }> {
    const app = await this.until(name, `to say ${message}`, ({ conditions }) =>
      conditions.some((one) => message.test(one.message)),
    );
    return app.conditions.find((one) => message.test(one.message))!;
  }

  /** Waits until `look` answers something truthy in each of the clusters. */
  async everywhere(what: string, look: (kube: KubeClient, name: string) => unknown): Promise<void> {
    await Promise.all(
      this.all.map(({ name, kube }) =>
        eventually(async () => look(kube, name), { what: `${what} in ${name}`, timeout: 40_000 }),
      ),
    );
  }

  /** Commits, and tells the hub as GitHub would; answers the commit. */
  async push(files: Files, message: string): Promise<string> {
    const sha = await this.repository.commit(files, message);
    await this.announce();
    return sha;
  }

  /** `git revert` of the last commit, and tells the hub. */
  async revert(): Promise<string> {
    const sha = await this.repository.revert();
    await this.announce();
    return sha;
  }

  /** Tells the hub of what was committed. */
  async announce(): Promise<void> {
    const answer = await this.webhook();
    if (answer.status !== 202)
      throw new Error(`the webhook was answered with ${answer.status}: ${await answer.text()}`);
  }

  /** Tells the hub of a push as GitHub would; answers what the hub said. */
  webhook({ secret = WEBHOOK_SECRET, path = '/api/webhook' } = {}): Promise<Response> {
    const body = JSON.stringify({ ref: 'refs/heads/main', repository: { clone_url: this.repository.url } });
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    return fetch(`${this.hub.url}${path}`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-hub-signature-256': `sha256=${signature}`,
      },
    });
  }

  /** `muster …` as a process. */
  async muster(token: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const env = {
      PATH: process.env.PATH,
      HOME: this.dir,
      MUSTER_CONFIG: join(this.dir, 'cli.json'),
      MUSTER_HUB: this.hub.url,
      MUSTER_TOKEN: token,
    };
    const command = [join(root, 'tools/tasks/muster.ts'), ...args];
    return run(process.execPath, command, { env, cwd: this.dir }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  }

  /** The hub again, on its ports and data. */
  async startHub(): Promise<void> {
    this.hub = await startHub({ dir: this.hub.dir, env: this.#env });
  }

  /** Statements right on the embedded database, past the hub. */
  async sql<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const folder = join(this.hub.dir, 'postgres');
    const password = (await readFile(join(folder, 'password'), 'utf8')).trim();
    const port = (await readFile(join(folder, 'data/postmaster.pid'), 'utf8')).split('\n')[3];
    const client = new Client({
      connectionString: `postgresql://muster:${password}@127.0.0.1:${port}/muster`,
    });
    await client.connect();
    try {
      return (await client.query(text, values)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** Ends everything; its folder stays behind when MUSTER_E2E_KEEP is set, to look at the logs. */
  async stop(): Promise<void> {
    await Promise.all(this.all.map(({ agent }) => agent.stop()));
    await this.hub?.stop();
    await Promise.all([this.redis?.stop(), ...this.all.map(({ plane }) => plane.stop())]);
    if (process.env.MUSTER_E2E_KEEP) console.error(`kept ${this.dir}`);
    else if (existsSync(this.dir)) await rm(this.dir, { recursive: true, force: true });
  }
}
