import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemActor } from '../access/actor.ts';
import { SetViews } from '../applicationsets/set-views.service.ts';
import { ApplicationViews } from '../applications/application-views.service.ts';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';
import { createLogger } from '../telemetry/logger.ts';

const CANARY = 'canary-c0ffee-5ecret';
const BASE64 = Buffer.from(CANARY).toString('base64');
const folder = mkdtempSync(join(tmpdir(), 'muster-secrets-'));
let log = '';
let hub: TestHub;

beforeAll(async () => {
  const lines = new Writable({ write: (chunk, _encoding, done) => ((log += String(chunk)), done()) });
  hub = await startTestHub(folder, {}, createLogger('trace', lines));
  await hub.cluster('dev');
  const chart = (name: string) => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`;
  const secret = (data: string) => `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n${data}`;
  hub.commit(
    {
      'tagged/s.yaml': secret(`stringData:\n  password: !!int ${CANARY}\n`),
      'flow/s.yaml': secret(`stringData: {password: !!int "${CANARY}"}\n`),
      'labelled/s.yaml': secret(`stringData:\n  password: ${CANARY}\n`),
      'labelled/c.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  namespace: x/${CANARY}\n`,
      'failing/Chart.yaml': chart('failing'),
      'failing/values.yaml': `db:\n  url: ${CANARY}\n`,
      'failing/templates/s.yaml': secret(
        'stringData:\n  url: {{ .Values.db.url }}\n  other: {{ fail (printf "cannot use %s" .Values.db.url) }}\n',
      ),
      'encoding/Chart.yaml': chart('encoding'),
      'encoding/templates/c.yaml': '{{ fail (printf "sees %s" (b64enc .Values.adminPassword)) }}\n',
      'schema/Chart.yaml': chart('schema'),
      'schema/values.schema.json': `{"properties":{"password":{"const":"x"},"mode":{"enum":["a"]}}}`,
      'schema/templates/c.yaml': '{}\n',
      'generated/kustomization.yaml': `secretGenerator:\n  - name: s\n    literals: ["${CANARY}"]\n`,
      'good/s.yaml': secret(`stringData:\n  password: ${CANARY}\n`),
      'good/c.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  url: "redis://:${CANARY}@redis"\n`,
    },
    'all that is broken',
  );
});
afterAll(async () => {
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const helm = (path: string, settings: Record<string, unknown>) => ({
  source: { repoURL: hub.url, path, targetRevision: 'main', helm: settings },
});
const BROKEN: Record<string, RegExp> = {
  tagged: /tagged\/s\.yaml:\d+.*cannot decode/,
  flow: /flow\/s\.yaml:\d+.*cannot decode/,
  labelled: /labelled\/c\.yaml.*metadata\.namespace/,
  failing: /failing\/templates\/s\.yaml:\d+.*cannot use/,
  encoding: /sees/,
  schema: /mode/,
  generated: /literal/,
};

test('what ends in a Secret, or looks as if it did, is in no answer, no plain column and no line of the log', async () => {
  const views = hub.running.app.get(ApplicationViews, { strict: false });
  await hub.apply([
    ...Object.keys(BROKEN)
      .filter((name) => !['encoding', 'schema'].includes(name))
      .map((name) => application(hub, name, name)),
    application(hub, 'encoding', 'encoding', {
      ...helm('encoding', { parameters: [{ name: 'adminPassword', value: CANARY }] }),
    }),
    application(hub, 'schema', 'schema', {
      ...helm('schema', { values: `password: ${CANARY}\nmode: b\n` }),
    }),
    application(hub, 'good', 'good'),
    {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'ApplicationSet',
      metadata: { name: 'broken' },
      spec: {
        goTemplate: true,
        generators: [{ list: { elements: [{ name: 'one', password: CANARY }] } }],
        template: {
          metadata: { name: '{{ fail (printf "no name for %s" .password) }}' },
          spec: application(hub, 'x', 'good').spec,
        },
      },
    },
  ]);
  await hub.assignment('dev', 'good');
  const answers: unknown[] = [];
  for (const [name, message] of Object.entries(BROKEN)) {
    await hub.eventually(async () => expect((await hub.app(name)).conditions[0]?.message).toMatch(message));
    answers.push(await hub.app(name));
  }
  const sets = hub.running.app.get(SetViews, { strict: false });
  await hub.eventually(async () =>
    expect(JSON.stringify(await sets.get(systemActor, 'argocd', 'broken'))).toContain('no name for'),
  );
  const manifests = await views.manifests(systemActor, 'argocd', 'good');
  expect(JSON.stringify(manifests)).toContain('redis://:');
  answers.push(
    manifests,
    await sets.get(systemActor, 'argocd', 'broken'),
    await views.list(systemActor, { limit: 100 }),
    await views.history(systemActor, 'argocd', 'good'),
  );
  const notJson = await fetch(`${hub.running.listening.http}/api/v1/apply`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"documents": [{"password": ${CANARY}}]}`,
  });
  answers.push(await notJson.text());
  await expect(hub.apply([(await hub.app('encoding')).manifest])).rejects.toThrow('had masked');

  const shown = JSON.stringify(answers);
  const { rows: tables } = await sql<{ name: string }>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`.execute(hub.db);
  for (const secret of [CANARY, BASE64]) {
    expect(shown).not.toContain(secret);
    expect(log).not.toContain(secret);
    for (const { name } of tables) {
      const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.raw(name)} t`.execute(
        hub.db,
      );
      expect(
        rows.filter(({ row }) => row.includes(secret) || row.includes(Buffer.from(secret).toString('hex'))),
        name,
      ).toEqual([]);
    }
  }
});
