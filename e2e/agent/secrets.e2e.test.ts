import { createServer, type Server } from 'node:https';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandOutcome } from '@muster/proto/records';
import { afterAll, describe, expect, it } from 'vitest';
import { Canaries, eventually, freePort } from '../src/index.ts';
import { ensurePki } from '../src/pki.ts';
import { agentFixture } from './testing/fixture.ts';
import { configMap } from './testing/objects.ts';

const canaries = new Canaries();
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const on = agentFixture('secrets');
let webhook: Server | undefined;
let health = 0;
afterAll(() => void webhook?.close());

const base64 = (text: string) => Buffer.from(text).toString('base64');
const secret = (name: string, rest: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, ...metadata },
  ...rest,
});
const job = (name: string, annotations: Record<string, string>, env: object[]) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, annotations },
  spec: {
    backoffLimit: 0,
    template: {
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'migrate:failing', env }] },
    },
  },
});

/** An agent that says all that it can, beside an admission webhook that quotes what it refuses. */
async function started(): Promise<void> {
  health = await freePort();
  await on.joined({ MUSTER_AGENT_LOG_LEVEL: 'trace', MUSTER_AGENT_HEALTH_PORT: String(health) });
  canaries.add('join token', on.hub.joining.token);
}

/** Waits until a sync has ended, and answers what the agent says of the Application, as text. */
async function ended(name: string, phase: RegExp): Promise<string> {
  const status = await eventually(
    (see) => {
      const now = on.hub.status(name);
      see(now);
      return phase.test(now?.operation?.phase ?? '') ? now : undefined;
    },
    { what: `the sync of ${name} to be ${phase}`, timeout: 60_000 },
  );
  return JSON.stringify(status, (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
}

/** Asks for the diff, and answers what it says of the objects. */
async function diffed(name: string): Promise<string> {
  const id = on.hub.command(name, { $case: 'diff', value: {} });
  const { outcome, message } = await eventually(() => on.hub.results.get(id), {
    what: 'the diff',
    timeout: 60_000,
  });
  expect(outcome).toBe(CommandOutcome.SUCCEEDED);
  return message;
}

/** Everything that left the agent so far holds none of the secrets. */
async function nothingLeaked(): Promise<void> {
  const log = await readFile(on.agent.log, 'utf8');
  const metrics = await (await fetch(`http://127.0.0.1:${health}/metrics`)).text();
  const told = on.hub.received.flatMap((message) => canaries.inBytes(message));
  expect({ told, log: canaries.in(log), metrics: canaries.in(metrics) }).toEqual({
    told: [],
    log: [],
    metrics: [],
  });
}

const REFUSED: Record<string, { objects: () => object[]; says: RegExp }> = {
  'a key that may not be': {
    objects: () => [secret('key', { stringData: { 'no key!': canaries.plant('invalid key') } })],
    says: /refused the Secret/,
  },
  'data that is no base64': {
    objects: () => [secret('no-base64', { data: { password: `${canaries.plant('no base64')}!` } })],
    says: /refused the Secret/,
  },
  'a value of another type': {
    objects: () => [secret('typed', { stringData: { password: { inside: canaries.plant('other type') } } })],
    says: /refused the Secret/,
  },
  'data that is a text': {
    objects: () => [secret('text', { stringData: canaries.plant('data as text') })],
    says: /refused the Secret/,
  },
  'more than fits into etcd': {
    objects: () => [
      secret('large', { stringData: { password: canaries.plant('too large').repeat(35_000) } }),
    ],
    says: /refused the Secret/,
  },
  'a type whose keys are missing': {
    objects: () => [
      secret('docker', {
        type: 'kubernetes.io/dockerconfigjson',
        stringData: { '.dockerconfigjson': `{"auths": ${canaries.plant('docker')}` },
      }),
    ],
    says: /refused the Secret/,
  },
  'an unknown field': {
    objects: () => [secret('field', { stringDate: { password: canaries.plant('misspelt field') } })],
    says: /refused the Secret|Succeeded/,
  },
  'an admission webhook that quotes the object, as forbidden': {
    objects: () => [secret('echo-403', { stringData: { password: canaries.plant('webhook 403') } })],
    says: /refused the Secret/,
  },
  'an admission webhook that quotes the object, as not found': {
    objects: () => [secret('echo-404', { stringData: { password: canaries.plant('webhook 404') } })],
    says: /refused the Secret/,
  },
  'an admission webhook that quotes the object, as a failure': {
    objects: () => [secret('echo-500', { stringData: { password: canaries.plant('webhook 500') } })],
    says: /refused the Secret/,
  },
  'the label of an object that may not be such, beside a Secret with the same value': {
    objects: () => [
      {
        ...configMap('labelled', {}),
        metadata: { name: 'labelled', labels: { token: `${canaries.plant('beside')}!!` } },
      },
      secret('beside', { stringData: { token: canaries.plant('beside') } }),
    ],
    says: /labels/,
  },
};

describe('secrets in what the agent is given and finds', () => {
  it('are in nothing that it says of objects that the API server refuses', async () => {
    await started();
    webhook ??= await echoingAdmission();
    const cases = Object.values(REFUSED);
    for (const [i, objects] of cases.map(({ objects }) => objects).entries())
      await on.hub.assign({ name: `refused-${i}`, objects: objects() });
    for (const [i, { says }] of cases.entries()) {
      expect(await ended(`refused-${i}`, /Failed|Succeeded/), Object.keys(REFUSED)[i]).toMatch(says);
      await diffed(`refused-${i}`);
    }
    await nothingLeaked();
  });

  it('are in nothing that it says of drift, of its healing and of a diff', async () => {
    await started();
    const objects = [
      secret('drifting', {
        data: { password: base64(canaries.plant('data')) },
        stringData: { other: canaries.plant('stringData') },
      }),
      secret('immutable', { immutable: true, stringData: { password: canaries.plant('immutable') } }),
      configMap('url', { url: `redis://:${canaries.plant('stringData')}@redis` }),
    ];
    await on.hub.assign({ name: 'drift', policy: { selfHeal: false }, objects });
    await ended('drift', /Succeeded/);
    const applied = secret('drifting', { stringData: { password: canaries.plant('last-applied') } });
    await on.cluster.kube.patch(
      'v1/Secret',
      'default/drifting',
      {
        metadata: { annotations: { [LAST_APPLIED]: JSON.stringify(applied) } },
        data: { password: base64(canaries.plant('typed by hand')), more: base64(canaries.plant('added')) },
      },
      { fieldManager: 'kubectl-client-side-apply' },
    );
    await on.cluster.kube.patch('v1/ConfigMap', 'default/url', {
      metadata: {
        annotations: { [LAST_APPLIED]: `{"kind": "Secret", ${canaries.plant('broken last-applied')}` },
      },
      data: { url: `redis://:${canaries.plant('stringData')}@other` },
    });
    await eventually(
      (see) => see(on.hub.status('drift')?.resources.filter(({ drift }) => drift))?.length === 2,
      {
        what: 'the drifts',
      },
    );
    expect(await diffed('drift')).toContain('kubectl-client-side-apply');
    const changed = secret('immutable', {
      immutable: true,
      stringData: { password: canaries.plant('immutable, changed') },
    });
    await on.hub.assign({ name: 'drift', objects: [objects[0]!, changed, objects[2]!] });
    expect(await ended('drift', /Failed/)).toMatch(
      /refused the Secret.*immutable|immutable.*refused the Secret/,
    );
    await on.hub.assign({ name: 'drift', objects });
    await ended('drift', /Succeeded/);
    await nothingLeaked();
  });

  it('are in nothing that jq programs and health checks say', async () => {
    await started();
    const password = canaries.plant('for programs');
    const ignoreDifferences = [
      '.data.password | error',
      '.data.password | fromjson',
      '.[.data.password | ltrimstr("x")] | .a.b',
    ].map((program) => ({
      group: '*',
      kind: '*',
      name: '',
      namespace: '',
      jsonPointers: [],
      jqPathExpressions: [program],
      managedFieldsManagers: [],
    }));
    const lua =
      'if obj.data.how == "raise" then error(obj.data.password) end return {status = "Degraded", message = obj.data.password}';
    const checks = (kind: string) => ({ kind, lua, useOpenLibs: false, cel: {} });
    const objects = [
      secret('programs', { stringData: { password } }),
      secret('raising', { data: { password: base64(password), how: base64('x') } }),
      configMap('programs', { password, how: 'raise' }),
      configMap('telling', { password }),
    ];
    await on.hub.assign({
      name: 'programs',
      extra: { ignoreDifferences, healthChecks: [checks('Secret'), checks('ConfigMap')] } as never,
      policy: { selfHeal: false },
      objects,
    });
    const judged = () => (on.hub.status('programs')?.resources ?? []).map(({ health }) => health).sort();
    await eventually((see) => see(judged()).join() === 'Degraded,Degraded,Degraded,Unknown', {
      what: 'all to be judged',
    });
    await on.cluster.kube.patch('v1/Secret', 'default/programs', {
      data: { password: base64(`x${password}`) },
    });
    await on.cluster.kube.patch('v1/ConfigMap', 'default/programs', { data: { password: `x${password}` } });
    const said = await eventually(
      (see) => see(on.hub.status('programs'))?.conditions.find(({ type }) => type === 'IgnoreDifferences'),
      { what: 'the condition about the programs' },
    );
    expect(said.message).toContain('jqPathExpressions');
    await diffed('programs');
    await nothingLeaked();
    await on.hub.assign({ name: 'programs', extra: { healthChecks: [] } as never, objects: [] });
  });

  it('are in nothing that it says of hooks', async () => {
    await started();
    const password = canaries.plant('hook');
    const hook = (phase: string) => ({ 'argocd.argoproj.io/hook': phase });
    await on.hub.assign({
      name: 'hooks',
      objects: [
        secret('for-hooks', { stringData: { password } }, { annotations: hook('PreSync') }),
        job('migrate', hook('PreSync'), [{ name: 'PASSWORD', value: password }]),
      ],
    });
    expect(await ended('hooks', /Failed/)).toMatch(/migrate/);
    await on.hub.assign({
      name: 'refused-hook',
      objects: [
        secret(
          'never',
          { stringData: { 'no key!': canaries.plant('hook with invalid key') } },
          { annotations: hook('SyncFail') },
        ),
      ],
    });
    expect(await ended('refused-hook', /Failed/)).toMatch(/refused the Secret/);
    await nothingLeaked();
  });
});

/** An admission webhook that refuses objects called `echo-CODE`, with that code, and quotes them. */
async function echoingAdmission(): Promise<Server> {
  const pki = await ensurePki(join(on.dir, 'webhook'), { dns: [], ips: ['127.0.0.1'] });
  const [cert, key, ca] = await Promise.all(
    [pki.serverCert, pki.serverKey, pki.caCert].map((file) => readFile(file)),
  );
  const port = await freePort();
  const server = createServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const { uid, name, object } = review.request;
      const code = Number(/^echo-(\d+)$/.exec(name)?.[1] ?? 0);
      const status = { code, message: `${name} may not be: ${JSON.stringify(object)}` };
      review.response = { uid, allowed: code === 0, ...(code > 0 && { status }) };
      response.end(JSON.stringify({ ...review, request: undefined }));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await on.cluster.kube.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'echo' },
    webhooks: [
      {
        name: 'echo.example.org',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'], operations: ['CREATE', 'UPDATE'] },
        ],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
        clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: ca!.toString('base64') },
      },
    ],
  });
  return server;
}
