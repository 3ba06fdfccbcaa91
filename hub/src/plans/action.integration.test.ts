/**
 * The composite action `.github/actions/plan`: its steps are taken from action.yml and run in bash, against a real hub
 * with the real command. GitHub itself is a small HTTP server that stands for the comments API.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hubClient } from '@muster/api/client';
import { parseDocument } from '@muster/base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestHub, application, startTestHub } from '../applications/pipeline.fixture.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const actionPath = join(root, '.github/actions/plan');
const folder = mkdtempSync(join(tmpdir(), 'muster-action-'));
const page = (colour: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: page\ndata:\n  colour: ${colour}\n`;

interface Comment {
  id: number;
  body: string;
  foreign?: true;
}
const comments: Comment[] = [];
const refused = { all: false };
let github: Server;
let hub: TestHub;
let token: string;

beforeAll(async () => {
  github = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = (status: number, body: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      const given =
        chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString()) as { body: string }) : undefined;
      if (refused.all) return answer(403, {});
      if (request.headers.authorization !== 'Bearer gh-token') return answer(401, {});
      const path = request.url!.split('?')[0];
      const one = comments.find(({ id }) => path === `/repos/org/fleet/issues/comments/${id}`);
      if (request.method === 'PATCH' && one?.foreign) return answer(403, {});
      if (request.method === 'PATCH' && one) one.body = given!.body;
      else if (path !== '/repos/org/fleet/issues/7/comments') return answer(404, {});
      else if (request.method === 'POST') comments.push({ id: comments.length + 1, body: given!.body });
      return answer(200, comments);
    });
  });
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
  hub = await startTestHub(folder, { MUSTER_ADMIN_PASSWORD: 'admin-password' });
  await hub.cluster('dev');
  hub.commit({ 'app/page.yaml': page('blue') }, 'first');
  await hub.apply([application(hub, 'page', 'app')]);
  await hub.assignment('dev', 'page');
  await hub.idle();
  hub.git('checkout', '-q', '-b', 'change');
  hub.git('update-ref', 'refs/pull/7/merge', hub.commit({ 'app/page.yaml': page('green') }, 'green'));
  hub.git('checkout', '-q', 'main');
  const login = await hubClient({ hub: hub.running.listening.http! }).session.login({
    name: 'admin',
    password: 'admin-password',
  });
  const client = hubClient({ hub: hub.running.listening.http!, cookie: login.cookie! });
  token = (await client.tokens.create({ name: 'ci', role: 'viewer' })).secret;
});
afterAll(async () => {
  github.close();
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Step {
  id?: string;
  if?: string;
  run: string;
  env: Record<string, string>;
}

/** Runs the steps of action.yml one after the other, as a runner does; answers how each ended and what it printed. */
async function runAction(
  given: Record<string, string>,
): Promise<{ codes: number[]; log: string; summary: string }> {
  const action = parseDocument(readFileSync(join(actionPath, 'action.yml'))) as unknown as {
    inputs: Record<string, { default?: string }>;
    runs: { steps: Step[] };
  };
  const wrapper = join(folder, 'muster');
  writeFileSync(wrapper, `#!/bin/sh\nexec ${process.execPath} ${join(root, 'cli/src/bin.ts')} "$@"\n`);
  chmodSync(wrapper, 0o755);
  const values: Record<string, string> = {
    'github.action_path': actionPath,
    'github.api_url': `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
    'github.repository': 'org/fleet',
    'github.event.pull_request.number': '7',
    'github.server_url': 'unused',
    'github.token': 'gh-token',
  };
  const filled = (text: string): string =>
    text.replace(/\$\{\{ (\S+) \}\}/g, (_, name: string) => {
      expect(Object.keys(values), 'what the action asks for').toContain(name);
      return values[name]!;
    });
  const inputs = { hub: hub.running.listening.http!, token, muster: wrapper, repo: hub.url, ...given };
  for (const [name, { default: usual = '' }] of Object.entries(action.inputs))
    values[`inputs.${name}`] = (inputs as Record<string, string>)[name] ?? filled(usual);
  const output = join(folder, 'output');
  const summary = join(folder, 'summary');
  writeFileSync(summary, '');
  const codes: number[] = [];
  let log = '';
  for (const step of action.runs.steps) {
    if (step.if && values['inputs.comment'] !== 'true') continue;
    writeFileSync(output, '');
    const env = Object.fromEntries(Object.entries(step.env).map(([key, value]) => [key, filled(value)]));
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        RUNNER_TEMP: folder,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        ...env,
      },
    });
    log += await printed(child);
    codes.push(child.exitCode!);
    for (const line of readFileSync(output, 'utf8').split('\n').filter(Boolean)) {
      const [name, ...value] = line.split('=');
      values[`steps.${step.id}.outputs.${name}`] = value.join('=');
    }
    if (child.exitCode !== 0) break;
  }
  return { codes, log, summary: readFileSync(summary, 'utf8') };
}

async function printed(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}

test('a pull request gets one comment with its plan, which is kept up to date', async () => {
  comments.push({ id: 1, body: '<!-- muster-plan: default -->\nnot from here', foreign: true });
  const first = await runAction({});
  expect(first.codes, first.log).toEqual([0, 0, 0]);
  expect(comments).toHaveLength(2);
  expect(comments[1]!.body).toContain('1 to change on 1 cluster');
  expect(comments[1]!.body).toContain('```diff');
  expect(comments[1]!.body).toContain('-  colour: blue\n+  colour: green');
  expect(first.summary).toContain('colour: green');
  comments[1]!.body = `${comments[1]!.body.split('\n')[0]}\nan older plan`;
  await runAction({});
  expect(comments).toHaveLength(2);
  expect(comments[1]!.body).toContain('colour: green');
});

test('it fails for changes only where it is told to, and says nothing where no comment is wanted', async () => {
  comments.length = 0;
  const found = await runAction({ comment: 'false', 'fail-on-changes': 'true' });
  expect(found.codes).toEqual([0, 1]);
  expect(found.log).toContain('the fleet would change');
  expect(comments).toEqual([]);
});

test('it fails where the plan has errors, or cannot be made, and the comment says so', async () => {
  comments.length = 0;
  const wrong = await runAction({ token: 'mst_wrong' });
  expect(wrong.codes).toEqual([0, 0, 1]);
  expect(comments[0]!.body).toContain('Muster plan failed');
  hub.git('checkout', '-q', '-b', 'broken');
  hub.commit({ 'app/page.yaml': 'kind: [\n' }, 'broken');
  hub.git('checkout', '-q', 'main');
  const broken = await runAction({ revision: 'broken' });
  expect(broken.codes).toEqual([0, 0, 1]);
  expect(comments).toHaveLength(1);
  expect(comments[0]!.body).toMatch(/❌ Muster plan: no changes; 1 error/);
  expect(comments[0]!.body).toContain('RenderError');
});

test('a token that may not comment fails nothing', async () => {
  refused.all = true;
  const found = await runAction({});
  expect(found.codes).toEqual([0, 0, 0]);
  expect(found.log).toContain('::warning::the plan was not written as a comment');
});
