import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { runCommand } from '../command-line.ts';
import { type TestHub, startTestHub } from '../testing/hub.ts';

const script = fileURLToPath(new URL('../../../charts/muster-hub/files/keys.sh', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'muster-flat-hub-'));
let hub: TestHub | undefined;

afterEach(async () => {
  await hub?.stop();
  rmSync(work, { recursive: true, force: true });
});

test('a hub starts with the keys that its image made, mapped by the script of the chart', async () => {
  const flat = join(work, 'keys');
  const folder = join(work, 'mapped');
  const printed = await runCommand(['keys', 'init', '--out', flat]);
  // Twice: an init container runs again when its pod's sandbox is made anew.
  for (const _ of [1, 2]) execFileSync('sh', [script, flat, folder]);
  hub = await startTestHub({ MUSTER_KEYS_DIR: folder });
  const { status, body } = await hub.request('GET', '/api/v1/keys');
  expect(status).toBe(200);
  expect(printed).toContain(body.hubId);
  expect(printed).toContain(body.caSha256);
  expect(body).toMatchObject({ keySetVersion: '1', rotating: false });
});
