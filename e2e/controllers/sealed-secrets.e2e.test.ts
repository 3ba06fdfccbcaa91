import 'reflect-metadata'; // the certificate library's container needs it
import { execFile } from 'node:child_process';
import { randomUUID, webcrypto } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Fleet, startFleet } from '../spine/fleet.ts';
import { application } from '../spine/testing/documents.ts';
import { eventually } from '../src/index.ts';
import { BUILDING, type Controllers, drifted, startSealedSecrets } from './testing/controllers.ts';

const SECRET = `canary-${randomUUID()}`;
const RENEWED = `renewed-${randomUUID()}`;

let fleet: Fleet;
let controllers: Controllers;

beforeAll(async () => {
  fleet = await startFleet({ clusters: ['dev'], env: { MUSTER_POLL_SECONDS: '3600' } });
  controllers = await startSealedSecrets(fleet.member('dev').plane);
}, BUILDING);

afterAll(async () => {
  await controllers?.stop();
  await fleet?.stop();
});

/** The certificate that the controller asks people to seal with. */
async function controllersCertificate(): Promise<string> {
  const labelSelector = 'sealedsecrets.bitnami.com/sealed-secrets-key=active';
  const key = await eventually(
    async () => (await fleet.kube('dev').list('v1/Secret', 'kube-system', { labelSelector }))[0],
    { what: "the controller's key" },
  );
  return Buffer.from(key.data['tls.crt'], 'base64').toString();
}

/** A certificate whose key nobody holds. */
async function foreignCertificate(): Promise<string> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as never;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    { name: 'CN=elsewhere', notAfter: new Date(Date.now() + 86_400_000), keys, signingAlgorithm: algorithm },
    webcrypto as never,
  );
  return certificate.toString('pem');
}

/** A Secret as kubeseal seals it, in YAML. */
async function seal(certificate: string, name: string, namespace: string, value: string): Promise<string> {
  const file = join(fleet.dir, `${name}.pem`);
  await writeFile(file, certificate);
  const secret = stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    stringData: { password: value },
  });
  const args = ['--cert', file, '--format', 'yaml'];
  return new Promise((answer, refuse) => {
    const child = execFile(join(controllers.tools, 'kubeseal'), args, (error, stdout) =>
      error ? refuse(error) : answer(stdout),
    );
    child.stdin!.end(secret);
  });
}

const password = async (name: string) => {
  const secret = await fleet.kube('dev').find('v1/Secret', name);
  return secret && Buffer.from(secret.data.password, 'base64').toString();
};

/** Everything that left the cluster, or was written down on the way: the database, and what both processes logged. */
async function everythingSaid(): Promise<string> {
  const tables = await fleet.sql<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const rows: string[] = [];
  for (const { name } of tables)
    rows.push(
      ...(await fleet.sql<{ row: string }>(`select t::text as row from ${name} t`)).map(({ row }) => row),
    );
  const logs = [fleet.member('dev').log, join(fleet.hub.dir, 'hub.log')].map((file) =>
    readFile(file, 'utf8'),
  );
  return [...rows, ...(await Promise.all(logs))].join('\n');
}

/** The values are nowhere, and what is known to be said is there. */
async function expectUnsaid(values: string[], known: string): Promise<void> {
  const said = await everythingSaid();
  expect(said.includes(known)).toBe(true);
  for (const value of values)
    for (const encoding of ['utf8', 'base64', 'hex'] as const)
      expect(said.includes(Buffer.from(value).toString(encoding)), `${value} in ${encoding}`).toBe(false);
}

describe('a SealedSecret delivered from Git', () => {
  it('is Healthy once the controller unsealed it, and its value is in nothing that leaves the cluster', async () => {
    const sealed = await seal(await controllersCertificate(), 'database', 'vault', SECRET);
    expect(sealed).not.toContain(SECRET);
    const commit = await fleet.push({ 'vault/database.yaml': sealed }, 'a password for the database');
    await fleet.apply(application(fleet.repository.url, 'vault', { on: 'dev' }));
    await fleet.synced('vault', commit);
    expect(await password('vault/database')).toBe(SECRET);
    const { resources } = await fleet.client.applications.resources('argocd', 'vault');
    expect(resources).toMatchObject([{ kind: 'SealedSecret', name: 'database', health: 'Healthy' }]);
    await expectUnsaid([SECRET], 'argocd/vault');
  });

  it('unseals a new value when Git has one', async () => {
    const sealed = await seal(await controllersCertificate(), 'database', 'vault', RENEWED);
    const commit = await fleet.push({ 'vault/database.yaml': sealed }, 'a new password');
    await fleet.synced('vault', commit);
    await eventually(async () => (await password('vault/database')) === RENEWED, {
      what: 'the new password',
    });
    await expectUnsaid([SECRET, RENEWED], commit);
    expect(await drifted(fleet, 'vault')).toEqual([]);
  });

  it('sealed for another key is Degraded with what the controller says, and Healthy once Git is repaired', async () => {
    const name = 'broken';
    const files = (sealed: string) => ({ 'broken/token.yaml': sealed });
    const wrong = await foreignCertificate();
    const commit = await fleet.push(files(await seal(wrong, 'token', 'broken', SECRET)), 'a token');
    await fleet.apply(application(fleet.repository.url, name, { on: 'dev' }));
    const app = await fleet.until(
      name,
      'to be Degraded',
      ({ health, sync, revision }) =>
        health === 'Degraded' && sync === 'Synced' && revision?.commit === commit,
    );
    expect(app.healthMessage).toContain('no key could decrypt secret (password)');
    expect(await password('broken/token')).toBeUndefined();
    await expectUnsaid([SECRET], 'no key could decrypt secret');
    const right = await seal(await controllersCertificate(), 'token', 'broken', SECRET);
    await fleet.synced(name, await fleet.push(files(right), 'the token, sealed for this cluster'));
    expect(await password('broken/token')).toBe(SECRET);
  });
});
