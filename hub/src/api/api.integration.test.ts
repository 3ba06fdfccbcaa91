import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ADMIN_PASSWORD, type TestHub, startTestHub } from '../testing/hub.ts';
import { Notifications } from '../store/notifications.ts';
import { Events } from './events.ts';
import { PATIENCE } from '../testing/index.ts';

let hub: TestHub;
const LARGE = '// a line of the page\n'.repeat(200);
const files = mkdtempSync(join(tmpdir(), 'muster-web-'));

beforeAll(async () => {
  mkdirSync(join(files, 'web', 'assets'), { recursive: true });
  mkdirSync(join(files, 'charts'));
  writeFileSync(join(files, 'web', 'index.html'), '<!doctype html><title>Muster</title>');
  writeFileSync(join(files, 'web', 'assets', 'app-1a2b.js'), 'export {};');
  writeFileSync(join(files, 'web', 'assets', 'large-1a2b.js'), LARGE);
  writeFileSync(join(files, 'web', 'assets', 'picture-1a2b.png'), Buffer.alloc(5000));
  writeFileSync(join(files, 'charts', 'index.yaml'), 'entries: {}\n');
  hub = await startTestHub({ MUSTER_WEB_DIR: join(files, 'web'), MUSTER_CHARTS_DIR: join(files, 'charts') });
});
afterAll(async () => {
  await hub.stop();
  rmSync(files, { recursive: true, force: true });
});

test('is ready, and says where it listens', async () => {
  expect(await hub.request('GET', '/readyz', { anonymous: true })).toMatchObject({
    status: 200,
    body: { ready: true, missing: [] },
  });
  expect((await hub.request('GET', '/livez', { anonymous: true })).body).toBe('ok');
  const listening = JSON.parse(readFileSync(join(hub.dataDir, 'listening.json'), 'utf8')) as { http: string };
  expect(listening.http).toBe(hub.url);
});

test('an error is a problem that names the field', async () => {
  const { status, headers, body } = await hub.request('POST', '/api/v1/users', {
    body: { name: 'white space' },
  });
  expect(status).toBe(400);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body).toMatchObject({
    code: 'invalid',
    where: 'name',
    detail: 'name: letters, digits and . _ @ - only',
    instance: headers.get('x-request-id'),
  });
});

test.each([
  ['JSON that is none', '{"name":', 400, 'invalid'],
  ['a prototype', '{"name":"a","__proto__":{"x":1}}', 400, 'invalid'],
  ['a body of 9 MiB', JSON.stringify({ name: 'x'.repeat(9 * 1024 * 1024) }), 413, 'limit'],
])('%s is a problem too', async (_name, body, status, code) => {
  expect(await hub.request('POST', '/api/v1/users', { body })).toMatchObject({ status, body: { code } });
});

test('a route that does not exist is a problem, and for a browser the page', async () => {
  expect(await hub.request('GET', '/api/v1/nothing')).toMatchObject({
    status: 404,
    body: { code: 'not-found' },
  });
  const page = await hub.request('GET', '/clusters/prod', {
    headers: { accept: 'text/html' },
    anonymous: true,
  });
  expect(page).toMatchObject({ status: 200, body: '<!doctype html><title>Muster</title>' });
  expect((await hub.request('GET', '/api/v1/nothing', { headers: { accept: 'text/html' } })).status).toBe(
    404,
  );
});

test('serves the UI and charts under a strict content security policy', async () => {
  const page = await hub.request('GET', '/', { anonymous: true });
  expect(page.body).toContain('<title>Muster</title>');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
  const asset = await hub.request('GET', '/assets/app-1a2b.js', { anonymous: true });
  expect(asset.headers.get('cache-control')).toContain('immutable');
  expect((await hub.request('GET', '/charts/index.yaml', { anonymous: true })).body).toContain('entries');
  expect((await hub.request('GET', '/charts/../data/admin-password', { anonymous: true })).status).toBe(404);
});

test('lists and files are compressed for whoever asks; small answers, images and event streams are not', async () => {
  const encodingOf = async (path: string, accepted: string) =>
    (
      await hub.request('GET', path, { headers: { 'accept-encoding': accepted, cookie: hub.adminCookie } })
    ).headers.get('content-encoding');
  expect(await encodingOf('/api/v1/openapi.json', 'gzip, br')).toBe('br');
  expect(await encodingOf('/api/v1/openapi.json', 'gzip')).toBe('gzip');
  expect(await encodingOf('/api/v1/openapi.json', 'identity')).toBeNull();
  expect(await encodingOf('/assets/large-1a2b.js', 'br')).toBe('br');
  expect(await encodingOf('/assets/picture-1a2b.png', 'br')).toBeNull();
  expect(await encodingOf('/api/v1/session', 'br')).toBeNull();
  expect((await hub.request('GET', '/assets/large-1a2b.js')).body).toBe(LARGE);
  const stream = await openStream(undefined, { cookie: hub.adminCookie, 'accept-encoding': 'br, gzip' });
  expect(stream.encoding).toBeNull();
  stream.close();
});

test('metrics exist before anything has happened', async () => {
  const { body } = await hub.request('GET', '/metrics', { anonymous: true });
  for (const line of [
    'muster_outbox_rows{queue="render"',
    'muster_jobs_total{queue="assign",outcome="done"',
  ]) {
    expect(body).toContain(line);
  }
});

test('pages through a list by key', async () => {
  for (const name of ['page-a', 'page-b', 'page-c']) {
    await hub.request('POST', '/api/v1/groups', { body: { name } });
  }
  const first = await hub.request('GET', '/api/v1/groups?limit=2');
  expect(first.body.items.map(({ name }: { name: string }) => name)).toEqual(['page-a', 'page-b']);
  const second = await hub.request('GET', `/api/v1/groups?limit=2&after=${first.body.next}`);
  expect(second.body.items.map(({ name }: { name: string }) => name)).toEqual(['page-c']);
  expect(second.body.next).toBeUndefined();
  expect(await hub.request('GET', '/api/v1/groups?after=!!')).toMatchObject({
    status: 400,
    body: { where: 'after' },
  });
  expect(await hub.request('GET', '/api/v1/groups?limit=0')).toMatchObject({
    status: 400,
    body: { where: 'limit' },
  });
});

test('the audit log says who did what, from where, and never a password', async () => {
  await hub.request('POST', '/api/v1/users', { body: { name: 'audited', password: 'hunter2hunter2' } });
  const { body } = await hub.request('GET', '/api/v1/audit?action=user.*&object=user/audited');
  expect(body.items).toMatchObject([
    { actor: 'admin', action: 'user.create', object: 'user/audited', remoteAddress: '127.0.0.1' },
  ]);
  expect(JSON.stringify(body)).not.toContain('hunter2');
  const all = await hub.request('GET', '/api/v1/audit?limit=1');
  const older = await hub.request('GET', `/api/v1/audit?limit=1&after=${all.body.next}`);
  expect(BigInt(older.body.items[0].id)).toBeLessThan(BigInt(all.body.items[0].id));
});

test('changes arrive as events, also after a broken connection', async () => {
  const events = hub.app.get(Events);
  const first = await openStream();
  await events.publish('cluster', ['prod']);
  await first.until(/event: change\ndata: {"kind":"cluster","keys":\["prod"\]}/);
  const lastId = /id: (\S+)\nevent: change/.exec(first.text())![1]!;
  first.close();
  await events.publish('application', ['argocd/web']);
  const again = await openStream(lastId);
  await again.until(/"keys":\["argocd\/web"\]/);
  expect(again.text()).not.toContain('prod');
  again.close();
  const stale = await openStream('another-1');
  await stale.until(/event: resync/);
  stale.close();
});

test('changes on another replica arrive too', async () => {
  const stream = await openStream();
  const elsewhere = new Notifications(hub.database.url);
  await new Events(elsewhere, hub.database.db, 'b').publish('command', ['1234']);
  await stream.until(/"kind":"command","keys":\["1234"\]/);
  stream.close();
  await elsewhere.close();
});

test('events of a project reach only those who see it', async () => {
  const events = hub.app.get(Events);
  const token = await tokenFor('shopper', [{ role: 'viewer', project: 'shop' }]);
  events.visibility('cluster', async () => []);
  events.visibility('application', async (keys) => keys.filter((key) => key.startsWith('shop/')));
  const stream = await openStream(undefined, { authorization: `Bearer ${token}` });
  await events.publish('cluster', ['hidden-1']);
  await events.publish('application', ['hidden/a', 'shop/b']);
  await events.publish('applicationset', ['hidden/set'], { project: 'other' });
  await events.publish('applicationset', ['shop/set'], { project: 'shop' });
  await stream.until(/shop\/set/);
  expect(stream.text()).not.toContain('hidden');
  expect(stream.text()).toContain('{"kind":"application","keys":["shop/b"]}');
  stream.close();
});

/** A user with grants, and an API token of theirs made through the API. */
async function tokenFor(name: string, grants: { role: string; project: string }[]): Promise<string> {
  await hub.request('POST', '/api/v1/users', { body: { name, password: ADMIN_PASSWORD } });
  for (const grant of grants)
    await hub.request('POST', '/api/v1/role-bindings', { body: { user: name, ...grant } });
  const login = await hub.request('POST', '/api/v1/session', {
    body: { name, password: ADMIN_PASSWORD },
    anonymous: true,
  });
  const cookie = login.headers.getSetCookie()[0]!.split(';', 1)[0]!;
  return (await hub.request('POST', '/api/v1/tokens', { body: { name: 'test' }, headers: { cookie } })).body
    .secret;
}

async function openStream(
  lastId?: string,
  credentials: Record<string, string> = { cookie: hub.adminCookie },
) {
  const controller = new AbortController();
  const response = await fetch(`${hub.url}/api/v1/events`, {
    headers: { ...credentials, ...(lastId && { 'last-event-id': lastId }) },
    signal: controller.signal,
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  const decoder = new TextDecoder();
  void (async () => {
    for await (const chunk of response.body!) text += decoder.decode(chunk, { stream: true });
  })().catch(() => undefined);
  const until = (pattern: RegExp) => vi.waitFor(() => expect(text).toMatch(pattern), PATIENCE);
  await until(/: muster/);
  return {
    encoding: response.headers.get('content-encoding'),
    text: () => text,
    until,
    close: () => controller.abort(),
  };
}
