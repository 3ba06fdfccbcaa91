import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { readConfig } from '../config.ts';
import { startHub } from '../hub.ts';
import { TEST_CONNECTIONS, type TestDatabase, startTestDatabase } from './database.ts';

export const ADMIN_PASSWORD = 'correct horse battery staple';

/** A whole hub in the test's process, on free ports and a database of its own. */
export interface TestHub {
  app: NestFastifyApplication;
  database: TestDatabase;
  url: string;
  dataDir: string;
  /** `Cookie` header of the admin's login. */
  adminCookie: string;
  /** A request as the admin, or as whoever `headers` say. The body is sent as JSON. */
  request(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string>; anonymous?: boolean },
    // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into answers of any shape
  ): Promise<{ status: number; headers: Headers; body: any }>;
  stop(): Promise<void>;
}

/** Starts a hub with test settings; `env` adds to them or replaces them. */
export async function startTestHub(
  env: Record<string, string> = {},
  prepare?: (app: NestFastifyApplication) => void,
): Promise<TestHub> {
  const database = await startTestDatabase();
  const dataDir = mkdtempSync(join(tmpdir(), 'muster-hub-test-'));
  const config = readConfig({
    MUSTER_DATA_DIR: dataDir,
    DATABASE_URL: database.url,
    MUSTER_DATABASE_CONNECTIONS: String(TEST_CONNECTIONS),
    MUSTER_HTTP_PORT: '0',
    MUSTER_SESSION_PORT: '0',
    MUSTER_ENROL_PORT: '0',
    MUSTER_ADMIN_PASSWORD: ADMIN_PASSWORD,
    MUSTER_ALLOW_FILE_REPOSITORIES: 'true',
    ...env,
  });
  const hub = await startHub(config, pino({ level: process.env['MUSTER_TEST_LOG'] ?? 'silent' }), prepare);
  const url = hub.listening.http!;
  const login = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', password: ADMIN_PASSWORD }),
  });
  const adminCookie = login.headers.getSetCookie()[0]!.split(';', 1)[0]!;
  return {
    app: hub.app,
    database,
    url,
    dataDir,
    adminCookie,
    request: async (method, path, { body, headers = {}, anonymous = false } = {}) => {
      const credentials =
        anonymous || 'authorization' in headers || 'cookie' in headers ? {} : { cookie: adminCookie };
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...credentials,
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        redirect: 'manual',
      });
      const text = await response.text();
      const json = (response.headers.get('content-type') ?? '').includes('json');
      return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
    },
    stop: async () => {
      await hub.stop();
      await database.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
