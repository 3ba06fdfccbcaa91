import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CreatedJoinToken } from '@muster/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Hub, renderChart, startHub } from '../src/index.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
let work: string;
let hub: Hub;
let token: CreatedJoinToken;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'muster-install-'));
  const pack = "import { packCharts } from './tools/tasks/charts.ts'; await packCharts();";
  await run(process.execPath, ['--input-type=module', '-e', pack], { cwd: root });
  hub = await startHub({
    dir: join(work, 'hub'),
    env: {
      MUSTER_GATEWAY_ADDRESS: 'muster.example.org:8443',
      MUSTER_PUBLIC_URL: 'https://muster.example.org',
    },
  });
  token = await createToken();
});

afterAll(async () => {
  await hub?.stop();
  await rm(work, { recursive: true, force: true });
});

async function createToken(): Promise<CreatedJoinToken> {
  const login = await fetch(`${hub.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'admin', password: hub.adminPassword }),
  });
  const cookie = login.headers.getSetCookie()[0]!.split(';', 1)[0]!;
  const answer = await fetch(`${hub.url}/api/v1/join-tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie },
    body: JSON.stringify({ name: 'prod-eu-1', labels: { env: 'prod' } }),
  });
  expect(answer.status).toBe(201);
  return (await answer.json()) as CreatedJoinToken;
}

/** The words that a shell makes of a command. */
async function wordsOf(command: string): Promise<string[]> {
  const { stdout } = await run('sh', ['-c', `helm() { printf '%s\\n' "$@"; }; ${command}`]);
  return stdout.trimEnd().split('\n');
}

/** What `--set-string a.b=c` means to Helm. */
function valuesOf(words: readonly string[]): Record<string, unknown> {
  const values: Record<string, never> = {};
  for (const [i, word] of words.entries()) {
    if (word !== '--set-string') continue;
    const [path, value] = words[i + 1]!.split(/=(.*)/s) as [string, string];
    const keys = path.split('.');
    let place: Record<string, unknown> = values;
    for (const key of keys.slice(0, -1)) place = (place[key] ??= {}) as Record<string, unknown>;
    place[keys.at(-1)!] = value.replace(/\\(.)/g, '$1');
  }
  return values;
}

test('the install command that the hub prints gives the agent what it needs to join', async () => {
  const words = await wordsOf(token.install.command!);
  expect(words.slice(0, 2)).toEqual(['install', 'muster-agent']);
  const namespace = words[words.indexOf('--namespace') + 1]!;
  const objects = await renderChart('muster-agent', valuesOf(words), { name: words[1]!, namespace });
  const env: { name: string; value?: string }[] = objects.find(({ kind }) => kind === 'Deployment')!.spec
    .template.spec.containers[0].env;
  const variable = (name: string) => env.find((each) => each.name === name)?.value;
  expect(variable('MUSTER_AGENT_HUB')).toBe('muster.example.org:8443');
  expect(variable('MUSTER_AGENT_ENROL')).toBe(token.hub.enrol);
  expect(variable('MUSTER_AGENT_CA_SHA256')).toBe(hub.listening.caSha256);
  const secret = objects.find(({ kind }) => kind === 'Secret')!;
  expect(secret.stringData).toEqual({ token: token.token });
});

test('chart and hub agree on where to enrol when nobody says', async () => {
  const values = { hub: { address: token.hub.gateway, caSha256: token.hub.caSha256 } };
  const objects = await renderChart('muster-agent', values, { name: 'a', namespace: 'a' });
  expect(JSON.stringify(objects)).toContain(`"value":"${token.hub.enrol}"`);
  expect(token.hub.enrol).toBe('muster.example.org:8444');
});

test('the chart of that command is what the hub serves, as its index says, and holds the chart', async () => {
  const [, , url] = await wordsOf(token.install.command!);
  expect(url).toMatch(/^https:\/\/muster\.example\.org\/charts\/muster-agent-[\d.]+\.tgz$/);
  const index = await fetch(`${hub.url}/charts/index.yaml`);
  expect(index.status).toBe(200);
  const { entries } = parse(await index.text()) as {
    entries: Record<string, { urls: string[]; digest: string; version: string }[]>;
  };
  expect(Object.keys(entries).sort()).toEqual(['muster-agent', 'muster-hub']);
  for (const [name, [entry]] of Object.entries(entries)) {
    const packed = await fetch(`${hub.url}/charts/${entry!.urls[0]}`);
    const bytes = Buffer.from(await packed.arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(entry!.digest);
    await writeFile(join(work, `${name}.tgz`), bytes);
    await run('tar', ['-xzf', join(work, `${name}.tgz`), '-C', work]);
    for (const file of ['Chart.yaml', 'values.yaml', 'values.schema.json'])
      expect(await readFile(join(work, name, file))).toEqual(
        await readFile(join(root, 'charts', name, file)),
      );
  }
  expect(entries['muster-agent']![0]!.urls[0]).toBe(url!.split('/').at(-1));
});
