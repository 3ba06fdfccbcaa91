import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_PASSWORD, type TestHub, startTestHub } from '../testing/hub.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const login = (name: string, password: string, headers: Record<string, string> = {}) =>
  hub.request('POST', '/api/v1/session', { body: { name, password }, anonymous: true, headers });

async function newUser(name: string, grants: { role: string; project: string }[] = []) {
  await hub.request('POST', '/api/v1/users', { body: { name, password: ADMIN_PASSWORD } });
  for (const grant of grants)
    await hub.request('POST', '/api/v1/role-bindings', { body: { user: name, ...grant } });
  const { headers } = await login(name, ADMIN_PASSWORD);
  return headers.getSetCookie()[0]!.split(';', 1)[0]!;
}

test('a login is a cookie that scripts and other sites cannot use', async () => {
  const { status, headers, body } = await login('admin', ADMIN_PASSWORD);
  expect(status).toBe(200);
  expect(headers.getSetCookie()[0]).toMatch(
    /^muster_session=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=86400$/,
  );
  expect(body).toMatchObject({ name: 'admin', grants: [{ role: 'admin', project: '*' }] });
  expect((await hub.request('GET', '/api/v1/session')).body.name).toBe('admin');
});

test('a wrong password and an unknown user are answered alike', async () => {
  const wrong = await login('admin', 'wrong password');
  const unknown = await login('nobody', 'wrong password');
  expect([wrong.status, unknown.status]).toEqual([401, 401]);
  expect(wrong.body.detail).toBe(unknown.body.detail);
});

test('guessing is bounded, and does not lock the account for others', async () => {
  await hub.request('POST', '/api/v1/users', { body: { name: 'guessed', password: ADMIN_PASSWORD } });
  const statuses: number[] = [];
  for (let guess = 0; guess < 11; guess++) statuses.push((await login('guessed', `guess ${guess}`)).status);
  expect(statuses).toEqual([...Array(10).fill(401), 429]);
  const { headers, body } = await login('guessed', ADMIN_PASSWORD);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body.code).toBe('limit');
  expect((await login('admin', ADMIN_PASSWORD)).status).toBe(200);
});

test('failed logins are in the audit log: a row a minute for a name and an address, unknown names unnamed', async () => {
  await hub.request('POST', '/api/v1/users', { body: { name: 'missed', password: ADMIN_PASSWORD } });
  const wrong = ['missed', 'missed', 'missed', 'a password typed too early', 'another'];
  const answers = await Promise.all(wrong.map((name) => login(name, 'wrong password')));
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  const { body } = await hub.request('GET', '/api/v1/audit?action=session.login-failed');
  const of = (object: string) => body.items.filter((item: { object: string }) => item.object === object);
  expect(of('user/missed')).toMatchObject([{ actor: 'anonymous', remoteAddress: '127.0.0.1' }]);
  expect(of('user')).toHaveLength(1);
  expect(JSON.stringify(body)).not.toContain('typed too early');
});

test('a page of another site can neither log in nor use the login', async () => {
  const elsewhere = { origin: 'https://elsewhere.example' };
  expect((await login('admin', ADMIN_PASSWORD, elsewhere)).status).toBe(403);
  const post = (headers: Record<string, string>) =>
    hub.request('POST', '/api/v1/groups', {
      body: { name: 'a' },
      headers: { cookie: hub.adminCookie, ...headers },
    });
  expect((await post(elsewhere)).status).toBe(403);
  expect((await post({ origin: 'null' })).status).toBe(403);
  expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await post({ origin: hub.url })).status).toBe(201);
});

test('logging out ends the login', async () => {
  const cookie = await newUser('leaver');
  expect((await hub.request('GET', '/api/v1/session', { headers: { cookie } })).status).toBe(200);
  expect((await hub.request('DELETE', '/api/v1/session', { headers: { cookie } })).status).toBe(204);
  expect((await hub.request('GET', '/api/v1/session', { headers: { cookie } })).status).toBe(401);
});

test('a token never has more than its user, and dies with them', async () => {
  const cookie = await newUser('worker', [{ role: 'operator', project: '*' }]);
  const make = async (body: object) =>
    (await hub.request('POST', '/api/v1/tokens', { body, headers: { cookie } })).body as {
      secret: string;
      id: string;
    };
  const session = async (secret: string) =>
    hub.request('GET', '/api/v1/session', { headers: { authorization: `Bearer ${secret}` } });
  const own = await make({ name: 'own' });
  const capped = await make({ name: 'capped', role: 'viewer', project: 'shop' });
  const raised = await make({ name: 'raised', role: 'admin' });
  expect(own.secret).toMatch(/^mst_/);
  expect((await session(own.secret)).body.grants).toEqual([{ role: 'operator', project: '*' }]);
  expect((await session(capped.secret)).body.grants).toEqual([{ role: 'viewer', project: 'shop' }]);
  expect((await session(raised.secret)).body.grants).toEqual([{ role: 'operator', project: '*' }]);

  const more = await hub.request('POST', '/api/v1/tokens', {
    body: { name: 'child' },
    headers: { authorization: `Bearer ${own.secret}` },
  });
  expect(more.status).toBe(403);

  await hub.request('DELETE', `/api/v1/tokens/${capped.id}`, { headers: { cookie } });
  expect((await session(capped.secret)).status).toBe(401);
  await hub.request('PATCH', '/api/v1/users/worker', { body: { disabled: true } });
  expect((await session(own.secret)).status).toBe(401);
  expect((await hub.request('GET', '/api/v1/session', { headers: { cookie } })).status).toBe(401);
  const stored = await hub.database.db.selectFrom('api_tokens').selectAll().execute();
  expect(JSON.stringify(stored)).not.toContain(own.secret.slice(4));
});

test('a token of somebody else cannot be deleted', async () => {
  const cookie = await newUser('thief');
  const mine = await hub.request('POST', '/api/v1/tokens', { body: { name: 'mine' } });
  const stolen = await hub.request('DELETE', `/api/v1/tokens/${mine.body.id}`, { headers: { cookie } });
  expect(stolen.status).toBe(404);
  expect((await hub.request('GET', '/api/v1/tokens?all=true', { headers: { cookie } })).status).toBe(403);
});

test('a role comes through a group, and goes with it', async () => {
  const cookie = await newUser('member');
  await hub.request('POST', '/api/v1/groups', { body: { name: 'team', members: ['member'] } });
  await hub.request('POST', '/api/v1/role-bindings', {
    body: { group: 'team', role: 'approver', project: 'shop' },
  });
  const grants = async () =>
    (await hub.request('GET', '/api/v1/session', { headers: { cookie } })).body.grants;
  expect(await grants()).toEqual([{ role: 'approver', project: 'shop' }]);
  await hub.request('DELETE', '/api/v1/groups/team');
  expect(await grants()).toEqual([]);
});

test('the last admin stays', async () => {
  for (const change of [
    () => hub.request('DELETE', '/api/v1/users/admin'),
    () => hub.request('PATCH', '/api/v1/users/admin', { body: { disabled: true } }),
    async () => {
      const { body } = await hub.request('GET', '/api/v1/role-bindings');
      const { id } = body.items.find(
        ({ user, role }: { user?: string; role: string }) => user === 'admin' && role === 'admin',
      );
      return hub.request('DELETE', `/api/v1/role-bindings/${id}`);
    },
  ]) {
    expect(await change()).toMatchObject({ status: 412, body: { code: 'precondition' } });
  }
  expect((await hub.request('GET', '/api/v1/users/admin')).status).toBe(200);
});

test('changing a password needs the old one and ends other logins', async () => {
  const cookie = await newUser('changer');
  const other = (await login('changer', ADMIN_PASSWORD)).headers.getSetCookie()[0]!.split(';', 1)[0]!;
  const put = (current: string) =>
    hub.request('PUT', '/api/v1/session/password', {
      body: { current, password: 'a new password' },
      headers: { cookie },
    });
  expect((await put('not it at all')).status).toBe(403);
  expect((await put(ADMIN_PASSWORD)).status).toBe(204);
  expect((await hub.request('GET', '/api/v1/session', { headers: { cookie } })).status).toBe(200);
  expect((await hub.request('GET', '/api/v1/session', { headers: { cookie: other } })).status).toBe(401);
  expect((await login('changer', ADMIN_PASSWORD)).status).toBe(401);
});
