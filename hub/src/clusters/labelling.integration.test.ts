import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { type TestHub, startTestHub } from '../applications/pipeline.fixture.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LabellingService } from './labelling.service.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-labelling-'));
let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub(folder);
  hub.commit({ 'app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n' }, 'first');
  await sql`
    insert into clusters (name, server, labels, state)
    select 'cluster-' || i, 'muster://cluster-' || i, jsonb_build_object('env', 'dev', 'old', 'x', 'half', (i % 2)::text), 'active'
    from generate_series(1, 1000) i`.execute(hub.db);
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const labelling = () => hub.running.app.get(LabellingService, { strict: false });

/** Runs of jobs that expand sets. */
async function expansions(): Promise<number> {
  const text = await hub.running.app.get(Metrics, { strict: false }).text();
  const rows = text.split('\n').filter((line) => /^muster_jobs_total\{.*queue="expand"/.test(line));
  return rows.reduce((sum, row) => sum + Number(row.split('} ')[1]!.split(' ')[0]), 0);
}

test('labels of a thousand clusters change in one step, and each set is expanded once', async () => {
  const set = (name: string) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name },
    spec: {
      generators: [{ clusters: { selector: { matchLabels: { half: '0' } } } }],
      template: {
        metadata: { name: `${name}-{{name}}`, labels: { ring: '{{metadata.labels.env}}' } },
        spec: {
          project: 'default',
          source: { repoURL: hub.url, path: 'app', targetRevision: 'main' },
          destination: { name: '{{name}}', namespace: name },
        },
      },
    },
  });
  await hub.apply([set('one'), set('two')]);
  await hub.idle();
  const before = await expansions();
  expect(await labelling().label('env=dev', { set: { env: 'prod' }, remove: ['old'] }, systemActor)).toEqual({
    selected: 1000,
    changed: 1000,
  });
  await hub.idle();
  expect((await expansions()) - before).toBe(2);
  const { rows } = await sql<{ n: number }>`
    select count(*)::int as n from applications where labels ->> 'ring' = 'prod'`.execute(hub.db);
  expect(rows[0]!.n).toBe(1000);
  const labels = await hub.db
    .selectFrom('clusters')
    .select('labels')
    .where('name', '=', 'cluster-7')
    .executeTakeFirst();
  expect(labels).toEqual({ labels: { env: 'prod', half: '1' } });
});

test('what has the labels already is not written, and one line of the audit log says what was done', async () => {
  expect(
    await labelling().label('half=1,env=prod', { set: { env: 'prod' }, remove: [] }, systemActor),
  ).toEqual({
    selected: 500,
    changed: 0,
  });
  const lines = await hub.db
    .selectFrom('audit')
    .select('details')
    .where('action', '=', 'cluster.label')
    .execute();
  expect(lines).toHaveLength(1);
  expect(lines[0]!.details).toMatchObject({ selector: 'env=dev', changed: 1000, remove: ['old'] });
  await expect(labelling().label('env=(', { set: {}, remove: [] }, systemActor)).rejects.toMatchObject({
    code: 'invalid',
  });
});
