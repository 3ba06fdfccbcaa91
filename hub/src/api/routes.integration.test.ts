import { type CallHandler, type ExecutionContext, Get, type NestInterceptor } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { NEVER, type Observable } from 'rxjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashToken } from '../access/authentication.ts';
import { Allow } from '../access/decorators.ts';
import { type TestHub, startTestHub } from '../testing/hub.ts';
import { type Route, requireRules, routesOf } from './routes.ts';

/** Stands behind the guards: a request that gets here was let in, and its handler is not run. */
class LetIn implements NestInterceptor {
  static on = false;

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!LetIn.on) return next.handle();
    void context.switchToHttp().getResponse<FastifyReply>().code(299).send('in');
    return NEVER;
  }
}

const ACTORS = [
  { name: 'nobody', grants: [] },
  { name: 'viewer', grants: [{ role: 'viewer', project: '*' }] },
  { name: 'operator', grants: [{ role: 'operator', project: '*' }] },
  { name: 'approver', grants: [{ role: 'approver', project: '*' }] },
  { name: 'admin', grants: [{ role: 'admin', project: '*' }] },
  { name: 'viewer@shop', grants: [{ role: 'viewer', project: 'shop' }] },
  { name: 'admin@shop', grants: [{ role: 'admin', project: 'shop' }] },
];

let hub: TestHub;
let routes: Route[];
const tokens = new Map<string, string>();

beforeAll(async () => {
  hub = await startTestHub({}, (app) => app.useGlobalInterceptors(new LetIn()));
  routes = routesOf(hub.app.get(DiscoveryService, { strict: false }));
  const { db } = hub.database;
  for (const { name, grants } of ACTORS) {
    const { id } = await db
      .insertInto('users')
      .values({ name: `test-${name}` })
      .returning('id')
      .executeTakeFirstOrThrow();
    for (const grant of grants)
      await db
        .insertInto('role_bindings')
        .values({ user_id: id, ...grant })
        .execute();
    const token = `mst_${name}`;
    await db
      .insertInto('api_tokens')
      .values({ user_id: id, name, token_hash: hashToken(token) })
      .execute();
    tokens.set(name, token);
  }
  LetIn.on = true;
});
afterAll(async () => {
  LetIn.on = false;
  await hub.stop();
});

async function answerTo(route: Route, actor: string): Promise<string> {
  const path = route.path.replace(/:(\w+)/g, (_all, name: string) =>
    name === 'id' ? '00000000-0000-7000-8000-000000000000' : 'x',
  );
  const token = tokens.get(actor);
  const response = await fetch(hub.url + path, {
    method: route.method,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
  await response.body?.cancel();
  return response.status === 299 ? 'in' : String(response.status);
}

test('each route lets in whom the committed table says, and nobody else', async () => {
  const names = ['anonymous', ...ACTORS.map(({ name }) => name)];
  const width = Math.max(...routes.map(({ path }) => path.length)) + 10;
  const lines = ['route'.padEnd(width) + names.map((name) => name.padEnd(13)).join('')];
  for (const route of routes) {
    const answers = await Promise.all(names.map((name) => answerTo(route, name)));
    lines.push(
      `${route.method.padEnd(7)} ${route.path}`.padEnd(width) +
        answers.map((answer) => answer.padEnd(13)).join(''),
    );
  }
  const table = `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
  await expect(table).toMatchFileSnapshot('../../access.golden.txt');
}, 120_000);

test('only what is meant to be public is public', () => {
  const open = routes
    .filter(({ rule }) => rule?.kind === 'public')
    .map(({ method, path }) => `${method} ${path}`);
  const meant =
    /^(GET \/(livez|readyz|metrics|api\/v1\/openapi\.json)|POST \/api\/v1\/session|POST \/api(\/v1)?\/webhook.*)$/;
  expect(open.filter((route) => !meant.test(route))).toEqual([]);
});

test('openapi.json describes the routes there are', async () => {
  LetIn.on = false;
  const { body } = await hub.request('GET', '/api/v1/openapi.json', { anonymous: true });
  LetIn.on = true;
  await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot('../../openapi.json');
});

test('a route that says nothing about who may call it keeps the app from starting', () => {
  class ThingsController {
    list(): void {}
    named(): void {}
  }
  const descriptor = (name: 'list' | 'named') =>
    Object.getOwnPropertyDescriptor(ThingsController.prototype, name)!;
  Get()(ThingsController.prototype, 'list', descriptor('list'));
  Get('named')(ThingsController.prototype, 'named', descriptor('named'));
  Allow('viewer')(ThingsController.prototype, 'named', descriptor('named'));
  Reflect.defineMetadata('path', 'things', ThingsController);
  const discovery = {
    getControllers: () => [{ metatype: ThingsController, instance: new ThingsController() }],
  };
  const table = routesOf(discovery as never);
  expect(table.map(({ path }) => path)).toEqual(['/things', '/things/named']);
  expect(() => requireRules(table)).toThrow('routes without @Allow or @Public: things.list');
});
