import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplyRequest } from '@muster/api';
import { type HubClient, hubClient } from '@muster/api/client';
import type { Client } from 'pg';
import { Repository } from '../spine/testing/repository.ts';
import { type Hub, startHub } from '../src/index.ts';
import { connectDatabase } from './hub-database.ts';

const CLUSTERS = 10_000;
const PATIENCE_MS = 180_000;
const NAME = 'fleet';
const ENV = { MUSTER_POLL_SECONDS: '3600', MUSTER_ALLOW_FILE_REPOSITORIES: 'true' };

type Label = 'moved' | 'steady-again';

/** A hub with 10,000 registered clusters and one ApplicationSet over them whose Applications share one render. */
export class SetFleet {
  #hub: Hub;
  #database: Client;
  readonly #client: HubClient;
  readonly #repository: Repository;
  readonly #goTemplate: boolean;
  readonly #signal: AbortSignal;

  private constructor(
    hub: Hub,
    database: Client,
    client: HubClient,
    repository: Repository,
    goTemplate: boolean,
    signal: AbortSignal,
  ) {
    this.#hub = hub;
    this.#database = database;
    this.#client = client;
    this.#repository = repository;
    this.#goTemplate = goTemplate;
    this.#signal = signal;
  }

  /** Starts the hub on its embedded PostgreSQL and registers the clusters past its API. */
  static async start(dir: string, goTemplate: boolean, signal: AbortSignal): Promise<SetFleet> {
    const hub = await startHub({ dir: join(dir, goTemplate ? 'go' : 'fast'), env: ENV, signal });
    const database = await connectDatabase(hub);
    const repository = await Repository.create(join(hub.dir, 'repository'));
    await repository.commit(
      { 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' },
      'first',
    );
    await database.query(
      `insert into clusters (name, server, labels, annotations, state, facts)
       select 'cluster-' || i, 'https://cluster-' || i || '.example.test:6443',
         jsonb_build_object('env', 'steady', 'region', 'eu-' || i % 7, 'tier', (i % 4)::text),
         jsonb_build_object('owner', 'team-' || i % 20), 'active',
         jsonb_build_object('kubernetesVersion', 'v1.34.' || i % 3,
           'apiVersions', (select jsonb_agg('group' || n || '.example.test/v1/Kind' || n) from generate_series(1, 60) n))
       from generate_series(0, $1::int - 1) i`,
      [CLUSTERS],
    );
    await database.query('analyze');
    const { cookie } = await hubClient({ hub: hub.url }).session.login({
      name: 'admin',
      password: hub.adminPassword,
    });
    const client = hubClient({ hub: hub.url, ...(cookie ? { cookie } : {}) });
    return new SetFleet(hub, database, client, repository, goTemplate, signal);
  }

  /** Another process on the same database, as a replica that knows nothing yet. */
  async restart(): Promise<void> {
    await this.#database.end();
    await this.#hub.stop();
    this.#hub = await startHub({ dir: this.#hub.dir, env: ENV, signal: this.#signal });
    this.#database = await connectDatabase(this.#hub);
    await this.settle();
  }

  async stop(): Promise<void> {
    await this.#database.end();
    await this.#hub.stop();
  }

  /** Applies the set with a label that says `round`; answers ms from the request to the commit that stores its Applications. */
  async change(round: number): Promise<number> {
    const started = performance.now();
    await this.#client.apply({ documents: [this.#document(round)] } as unknown as ApplyRequest);
    await this.#until(
      `select expanded_version = version as done from application_sets where name = '${NAME}'`,
      'the Applications',
    );
    const took = performance.now() - started;
    const stored = await this.#count(
      `select count(*)::int as n from applications where labels ->> 'round' = '${round}'`,
    );
    if (stored !== CLUSTERS) throw new Error(`${stored} Applications of round ${round} are stored`);
    return took;
  }

  /** Answers ms until every Application is assigned its newest release, and nothing is left to do. */
  async settle(): Promise<number> {
    const started = performance.now();
    await this.#until(
      `select not exists (select from outbox where queue <> 'maintenance') as done`,
      'the assignments',
    );
    const took = performance.now() - started;
    const assigned = await this.#count('select count(*)::int as n from assignments');
    if (assigned !== CLUSTERS) throw new Error(`${assigned} assignments are stored`);
    return took;
  }

  /** Asks for an expansion when nothing has changed; answers ms until it is done. Throws when a row was written. */
  async again(): Promise<number> {
    const before = await this.#versions();
    const { rows } = await this.#database.query(`select id from application_sets where name = '${NAME}'`);
    const key = `set:${(rows[0] as { id: string }).id}`;
    const started = performance.now();
    await this.#database.query(
      `with asked as (insert into outbox (queue, key) values ('expand', $1)) select pg_notify('outbox', 'expand')`,
      [key],
    );
    await this.#until(`select not exists (select from outbox where key = '${key}') as done`, 'the expansion');
    const took = performance.now() - started;
    const written = differing(before, await this.#versions());
    if (written > 0) throw new Error(`${written} rows were written though nothing had changed`);
    return took;
  }

  /**
   * Changes one cluster's label. Answers ms from the commit of that to the commit that stores its Application, both as
   * told by notifications of the database, and to its new assignment. Throws unless one Application was written.
   */
  async label(i: number, env: Label): Promise<{ stored: number; assigned: number }> {
    const name = `cluster-${i}`;
    const before = await this.#versions();
    const committed = this.#notified('clusters', () => true);
    const stored = this.#notified('events', (payload) => payload.includes('"kind":"applicationset"'));
    const assigned = this.#notified('assignments', () => true);
    for (const channel of ['clusters', 'events', 'assignments'])
      await this.#database.query(`listen ${channel}`);
    const { labels } = await this.#client.clusters.get(name);
    await this.#client.clusters.change(name, { labels: { ...labels, env } });
    const start = await committed;
    const figures = { stored: (await stored) - start, assigned: (await assigned) - start };
    await this.#database.query('unlisten *');
    await this.settle();
    const written = differing(before, await this.#versions());
    if (written !== 1) throw new Error(`${written} Applications were written for one label`);
    return figures;
  }

  /** Changes a label of every cluster of a region, as `muster cluster label -l` does; answers what that caused. */
  async labelRegion(env: Label): Promise<{ changed: number; took: number; expansions: number }> {
    const before = await this.#expansions();
    const started = performance.now();
    const { changed } = await this.#client.clusters.label({ selector: 'region=eu-1', set: { env } });
    await this.settle();
    return { changed, took: performance.now() - started, expansions: (await this.#expansions()) - before };
  }

  #document(round: number) {
    const open = (name: string) => (this.#goTemplate ? `{{ .${name} }}` : `{{${name}}}`);
    return {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      metadata: { name: NAME },
      spec: {
        goTemplate: this.#goTemplate,
        ...(this.#goTemplate ? { goTemplateOptions: ['missingkey=error'] } : {}),
        generators: [{ clusters: { selector: { matchExpressions: [{ key: 'env', operator: 'Exists' }] } } }],
        template: {
          metadata: {
            name: `${open('name')}-web`,
            labels: {
              env: open('metadata.labels.env'),
              region: open('metadata.labels.region'),
              round: String(round),
            },
          },
          spec: {
            project: 'default',
            source: { repoURL: this.#repository.url, targetRevision: 'main', path: 'app' },
            destination: { name: open('name'), namespace: `web-${open('metadata.labels.env')}-${round}` },
            syncPolicy: { automated: { prune: true, selfHeal: true } },
          },
        },
      },
    };
  }

  /** When a notification that fits arrives, as of `performance.now()`. */
  #notified(channel: string, fits: (payload: string) => boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nothing was told on ${channel}`)), PATIENCE_MS);
      const hear = (message: { channel: string; payload?: string }) => {
        if (message.channel !== channel || !fits(message.payload ?? '')) return;
        clearTimeout(late);
        this.#database.off('notification', hear);
        resolve(performance.now());
      };
      this.#database.on('notification', hear);
    });
  }

  async #until(query: string, what: string): Promise<void> {
    for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(2, undefined, { signal: this.#signal })) {
      const { rows } = await this.#database.query(query);
      if ((rows[0] as { done: boolean } | undefined)?.done) return;
      if (Date.now() > deadline) throw new Error(`${what} were not there after three minutes`);
    }
  }

  async #count(query: string): Promise<number> {
    return ((await this.#database.query(query)).rows[0] as { n: number }).n;
  }

  /** Which transaction wrote the specification of each Application last: what rendering notes on them does not count. */
  async #versions(): Promise<Map<string, string>> {
    const { rows } = await this.#database.query(
      'select id, version::text || manifest_hash as at from applications',
    );
    return new Map((rows as { id: string; at: string }[]).map(({ id, at }) => [id, at]));
  }

  async #expansions(): Promise<number> {
    const text = await (await fetch(`${this.#hub.url}/metrics`)).text();
    const rows = text.split('\n').filter((line) => /^muster_jobs_total\{.*queue="expand"/.test(line));
    return rows.reduce((sum, row) => sum + Number(row.split('} ')[1]?.split(' ')[0]), 0);
  }
}

function differing(before: Map<string, string>, after: Map<string, string>): number {
  return [...after].filter(([id, at]) => before.get(id) !== at).length;
}
