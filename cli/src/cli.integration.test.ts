import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from './program.ts';
import { recordingTerminal } from './testing/terminal.ts';

// A child process from the bundle, not an import: the CLI knows a hub by its API only.
const hubFolder = fileURLToPath(new URL('../../hub/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'muster-cli-test-'));
const dataDir = join(folder, 'data');
const configFile = join(folder, 'config.json');
const PASSWORD = 'correct horse battery staple';
let hub: ChildProcess;
let url: string;

beforeAll(async () => {
  const bundle = join(hubFolder, 'dist', 'main.mjs');
  mkdirSync(dataDir);
  hub = spawn(process.execPath, [bundle], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      DATABASE_URL: '',
      REDIS_URL: '',
      MUSTER_DATA_DIR: dataDir,
      MUSTER_HTTP_PORT: '0',
      MUSTER_SESSION_PORT: '0',
      MUSTER_ENROL_PORT: '0',
      MUSTER_ADMIN_PASSWORD: PASSWORD,
      MUSTER_ALLOW_FILE_REPOSITORIES: 'true',
      MUSTER_DELETION_GRACE_SECONDS: '1',
    },
  });
  url = await listening(join(dataDir, 'listening.json'));
});

afterAll(async () => {
  const ended = new Promise((resolve) => hub.once('exit', resolve));
  hub.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

/** The hub writes the file once it is ready. */
async function listening(file: string): Promise<string> {
  const read = () => existsSync(file) && readFileSync(file, 'utf8').trim().endsWith('}');
  await new Promise<void>((resolve, reject) => {
    hub.once('exit', (code) => reject(new Error(`the hub ended with ${code}`)));
    const watcher = watch(dataDir, () => {
      if (!read()) return;
      watcher.close();
      resolve();
    });
    if (read()) resolve();
  });
  return (JSON.parse(readFileSync(file, 'utf8')) as { http: string }).http;
}

async function muster(args: string[], input = '', environment: { hub?: string; token?: string } = {}) {
  const terminal = recordingTerminal(input);
  const code = await main(args, {
    terminal,
    environment: { configFile, mayColour: false, ...environment },
    signal: new AbortController().signal,
  });
  return { code, out: terminal.output, notes: terminal.notes };
}

const git = (dir: string, ...args: string[]) =>
  spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: dir });

function makeRepository(): string {
  const repository = join(folder, 'repository');
  mkdirSync(join(repository, 'plain'), { recursive: true });
  writeFileSync(
    join(repository, 'plain', 'a.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
  );
  git(repository, 'init', '-q', '-b', 'main');
  git(repository, 'add', '.');
  git(repository, 'commit', '-q', '-m', 'first');
  return `file://${repository}`;
}

const application = (repoURL: string) => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  project: default
  source: {repoURL: '${repoURL}', path: plain, targetRevision: main}
  destination: {name: nowhere, namespace: web}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: team}
spec: {sourceRepos: ['*'], destinations: [{server: '*', namespace: '*'}]}
`;

describe('muster against a real hub', () => {
  it('refuses a wrong password and stores nothing', async () => {
    const { code, notes } = await muster(['login', url, '--username', 'admin', '--password-stdin'], 'wrong');
    expect(code).toBe(1);
    expect(notes).toContain('name or password is wrong');
    expect(existsSync(configFile)).toBe(false);
  });

  it('logs in with a password from standard input and keeps a token of its own, for the owner only', async () => {
    const { code } = await muster(['login', url, '--username', 'admin', '--password-stdin'], `${PASSWORD}\n`);
    expect(code).toBe(0);
    expect(statSync(configFile).mode & 0o777).toBe(0o600);
    const text = readFileSync(configFile, 'utf8');
    expect(text).toContain('mst_');
    expect(text).not.toContain(PASSWORD);
    const { out } = await muster(['whoami', '-o', 'json']);
    expect(JSON.parse(out)).toMatchObject({ name: 'admin', kind: 'token' });
  });

  it('makes a token for a program with the password, as a token cannot make another', async () => {
    const args = ['token', 'create', 'ci', '--role', 'viewer', '--expires', '30d', '--password-stdin'];
    const { code, out } = await muster(args, `${PASSWORD}\n`);
    expect(code).toBe(0);
    const shown = await muster(['whoami', '-o', 'json', '--token', out.trim()]);
    expect(JSON.parse(shown.out)).toMatchObject({ name: 'admin', grants: [{ role: 'viewer' }] });
    expect((await muster(args, 'wrong')).notes).toContain('name or password is wrong');
    expect((await muster(args.slice(0, 3))).notes).toContain('--password-stdin is needed');
  });

  it('makes a join token and prints what to run, or why there is nothing to run', async () => {
    const args = [
      'cluster',
      'join-token',
      'create',
      '--name',
      'dev',
      '--label',
      'env=dev',
      '--expires',
      '10m',
    ];
    const { code, out } = await muster(args);
    expect(code).toBe(0);
    expect(out).toMatch(/MUSTER_GATEWAY_ADDRESS[^]*hub\.caSha256/);
    const list = JSON.parse((await muster(['cluster', 'join-token', 'list', '-o', 'json'])).out) as {
      id: string;
    }[];
    expect(list).toMatchObject([{ name: 'dev', labels: { env: 'dev' }, uses: 0, maxUses: 1 }]);
    expect((await muster(['cluster', 'join-token', 'revoke', list[0]!.id])).code).toBe(0);
    expect((await muster(['cluster', 'join-token', 'list'])).out).toContain('revoked');
  });

  it('adds a repository, and says why one cannot be', async () => {
    const repoURL = makeRepository();
    expect(await muster(['repo', 'add', repoURL])).toMatchObject({
      code: 0,
      out: `repository/${repoURL} added\n`,
    });
    expect((await muster(['repo', 'list', '-o', 'name'])).out).toBe(`${repoURL}\n`);
    const refused = await muster(['repo', 'add', `${repoURL}-missing`]);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.notes).toContain('not found');
  });

  it('applies documents all or nothing, and finds them again', async () => {
    const documents = application(`file://${join(folder, 'repository')}`);
    const bad = `${documents}---\nkind: Pod\napiVersion: v1\nmetadata: {name: x}\n`;
    const refused = await muster(['apply', '-f', '-'], bad);
    expect(refused.code).toBe(1);
    expect(refused.notes).toContain('<stdin>:');
    expect(JSON.parse((await muster(['app', 'list', '-o', 'json'])).out)).toEqual([]);

    expect((await muster(['apply', '-f', '-', '--dry-run'], documents)).out).toContain('created (dry run)');
    expect((await muster(['apply', '-f', '-'], documents)).out).toBe(
      'application/argocd/web created\nappproject/team created\n',
    );
    expect((await muster(['apply', '-f', '-'], documents)).out).toContain('application/argocd/web unchanged');
    expect((await muster(['app', 'list', '-o', 'name'])).out).toBe('argocd/web\n');
    const detail = JSON.parse((await muster(['app', 'get', 'argocd/web', '-o', 'json'])).out) as object;
    expect(detail).toMatchObject({ name: 'web', sync: 'Unknown', resources: [] });
    expect((await muster(['project', 'list', '-o', 'name'])).out.split('\n')).toContain('team');
  });

  it('gives up waiting with what is missing, and with exit code 1', async () => {
    const { code, notes } = await muster(['app', 'wait', 'web', '--timeout', '1s']);
    expect(code).toBe(1);
    expect(notes).toContain('argocd/web (Unknown)');
  });

  it('says why an Application is not what it should be, and what of it somebody can do', async () => {
    const why = await muster(['why', 'web']);
    expect(why.code).toBe(0);
    expect(why.out).toMatch(/^argocd\/web: blocked\n  render: it cannot be rendered: .*nowhere/);
    const read = await muster(['why', 'argocd/web', '-o', 'json']);
    expect(JSON.parse(read.out)).toMatchObject({
      kind: 'application',
      blocked: true,
      links: [{ kind: 'render' }],
    });
    expect((await muster(['app', 'get', 'web'])).out).toMatch(/Blocked: +render: it cannot be rendered/);
    expect(await muster(['why', 'web@dev'])).toMatchObject({
      code: 1,
      notes: expect.stringContaining('it is in no cluster') as string,
    });
    expect(await muster(['why', 'nothing'])).toMatchObject({ code: 1 });
    const pin = await muster(['app', 'pin', 'web', '--reason', 'x']);
    expect(pin).toMatchObject({ code: 1, notes: expect.stringContaining('is in no cluster') as string });
    expect(await muster(['app', 'pin', 'web'])).toMatchObject({ code: 2 });
    expect(await muster(['app', 'unpin', 'web@', '--reason', 'x'])).toMatchObject({ code: 2 });
    expect(await muster(['app', 'list', '--cluster', 'nope'])).toMatchObject({
      code: 1,
      notes: expect.stringContaining('nope') as string,
    });
  });

  it('is told by events that an Application is gone', async () => {
    // Sooner than wait.ts would look by itself.
    const waiting = muster(['app', 'wait', 'web', '--delete', '--timeout', '9s']);
    expect((await muster(['app', 'delete', 'web'])).code).toBe(0);
    expect(await waiting).toMatchObject({ code: 0, out: 'application/argocd/web gone\n' });
  });

  it('never guesses what is to become of workloads', async () => {
    expect(await muster(['cluster', 'remove', 'dev'])).toMatchObject({ code: 2 });
    expect(await muster(['cluster', 'remove', 'dev', '--keep', '--forget'])).toMatchObject({ code: 2 });
  });

  it('tells a wrong command line, a missing object and an unreachable hub apart', async () => {
    expect((await muster(['app', 'lisst'])).code).toBe(2);
    expect((await muster(['app', 'list', '-o', 'xml'])).code).toBe(2);
    expect(await muster(['app', 'get', 'nothing'])).toMatchObject({
      code: 1,
      notes: expect.stringContaining('nothing') as string,
    });
    const away = await muster(['app', 'list'], '', { hub: 'http://127.0.0.1:9', token: 'mst_x' });
    expect(away.code).toBe(1);
    expect(away.notes).toContain('http://127.0.0.1:9 is not reachable');
  });

  it('logs out by revoking its token', async () => {
    const { hubs } = JSON.parse(readFileSync(configFile, 'utf8')) as {
      hubs: Record<string, { token: string }>;
    };
    const { token } = Object.values(hubs)[0]!;
    expect((await muster(['logout'])).code).toBe(0);
    const after = await muster(['whoami'], '', { hub: url, token });
    expect(after.code).toBe(1);
    expect(after.notes).toContain('not valid');
  });
});

describe('bootstrap', () => {
  beforeAll(async () => {
    await muster(['login', url, '--username', 'admin', '--password-stdin'], PASSWORD);
  });

  it('brings up what a folder of a repository holds, changes nothing when run again, and takes no name', async () => {
    const repository = join(folder, 'fleet-repository');
    mkdirSync(join(repository, 'fleet'), { recursive: true });
    writeFileSync(join(repository, 'fleet', 'project.yaml'), PROJECT_OF_FLEET);
    writeFileSync(join(repository, 'fleet', 'set.yaml'), SET_OF_FLEET);
    git(repository, 'init', '-q', '-b', 'main');
    git(repository, 'add', '.');
    git(repository, 'commit', '-q', '-m', 'fleet');
    const line = ['bootstrap', '--repo', `file://${repository}`, '--path', 'fleet/', '--name', 'fleet'];
    const first = await muster(line);
    expect(first.notes).not.toContain('error:');
    expect(first.code).toBe(0);
    expect(first.out).toContain('application/argocd/fleet created');
    expect(first.out).toMatch(/AppProject\S*\s.*fleet-team/);
    expect(first.out).toMatch(/ApplicationSet\S*\s.*fleet-set/);
    const again = await muster([...line, '-o', 'json']);
    expect(JSON.parse(again.out)).toMatchObject({
      name: 'fleet',
      sync: 'Synced',
      health: 'Healthy',
      ofHub: true,
    });
    const other = await muster(['bootstrap', '--repo', 'file:///elsewhere', '--name', 'fleet']);
    expect(other.code).not.toBe(0);
    expect(other.notes).toContain('application/argocd/fleet is there already, from file://');
  }, 120_000);

  it('applies, lists and deletes rollout policies, and says what there is to see of rollouts', async () => {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, POLICY);
    expect((await muster(['apply', '-f', file])).out).toContain('careful');
    const listed = JSON.parse((await muster(['rollout', 'policy', 'list', '-o', 'json'])).out) as unknown;
    expect(listed).toMatchObject([{ name: 'careful', stages: ['canary', 'rest'], selects: '' }]);
    expect((await muster(['rollout', 'policy', 'get', 'careful', '-o', 'yaml'])).out).toContain('soak: 10m');
    const none = await muster(['rollout', 'list', '--open']);
    expect(none.out + none.notes).toContain('Nothing is on its way.');
    const absent = await muster(['rollout', 'get', 'web']);
    expect(absent.notes).toContain('there is no rollout of argocd/web');
    expect((await muster(['rollout', 'policy', 'delete', 'careful'])).code).toBe(0);
  });

  it('applies a Promotion, shows its environments, is steered, and finds what is wrong with it', async () => {
    const file = join(folder, 'promotion.yaml');
    writeFileSync(file, PROMOTION);
    expect((await muster(['promotion', 'list'])).notes).toContain('No Promotions: muster apply');
    expect((await muster(['apply', '-f', file])).out).toContain('promotion/shop created');
    expect((await muster(['delete', '-f', file])).out).toContain('promotion/shop deleted');
    expect((await muster(['apply', '-f', file])).code).toBe(0);
    const listed = await muster(['promotion', 'list']);
    expect(listed.out).toMatch(/shop +dev → prod +/);
    const shown = await muster(['promotion', 'get', 'shop']);
    expect(shown.out).toMatch(/prod +not yet +- +argocd\/shop-prod +main:envs\/prod +copy, commit/);
    expect((await muster(['promotion', 'get', 'shop', '-o', 'yaml'])).out).toContain('repository: https://');
    expect((await muster(['promotion', 'pause', 'shop', '--reason', 'lunch'])).out).toContain('paused');
    expect((await muster(['promotion', 'get', 'shop'])).out).toContain('by admin: lunch');
    expect((await muster(['promotion', 'resume', 'shop'])).code).toBe(0);
    const nothing = await muster(['promotion', 'approve', 'shop', '--environment', 'prod']);
    expect(nothing.notes).toContain('nothing of prod asks for an approval');
    writeFileSync(file, PROMOTION.replace('envs/prod', '../prod').replace('name: shop', 'name: other'));
    expect((await muster(['apply', '-f', file])).notes).toContain('no path inside the repository');
    expect((await muster(['promotion', 'delete', 'shop'])).code).toBe(0);
    expect((await muster(['promotion', 'get', 'shop'])).notes).toContain('there is no Promotion shop');
  });

  it('says what there is to see of releases, and what names one', async () => {
    const none = await muster(['release', 'list', 'fleet-set']);
    expect(none.notes).toContain('argocd/fleet-set has no release yet');
    const absent = await muster(['release', 'diff', 'web#9', 'nowhere']);
    expect(absent.code).toBe(1);
    expect(absent.notes).toContain('there is no ApplicationSet or Application argocd/web');
    const wrong = await muster(['release', 'get', 'fleet-set#x']);
    expect(wrong.notes).toContain('names no release');
  });

  it('says what to do about a repository that cannot be read', async () => {
    const refused = await muster([
      'bootstrap',
      '--repo',
      `file://${folder}/no-such`,
      '--name',
      'unread',
      '--timeout',
      '60s',
    ]);
    expect(refused.code).not.toBe(0);
    expect(refused.notes).toMatch(/SourceError: .*a private repository needs --username/s);
  }, 120_000);
});

const POLICY = `
apiVersion: muster.dev/v1alpha1
kind: RolloutPolicy
metadata: {name: careful}
spec:
  defaults: {soak: 10m}
  stages:
    - {name: canary, clusters: {matchLabels: {tier: canary}}}
    - {name: rest}
`;

const PROMOTION = `
apiVersion: muster.dev/v1alpha1
kind: Promotion
metadata: {name: shop}
spec:
  repository: https://git.example.com/fleet.git
  environments:
    - {name: dev, application: shop-dev, path: envs/dev}
    - {name: prod, application: shop-prod, path: envs/prod, production: true, change: {mode: commit}}
`;

const PROJECT_OF_FLEET = `
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: fleet-team}
spec: {sourceRepos: ['*'], destinations: [{server: '*', namespace: '*'}]}
`;

/** Nothing carries its label: it is healthy with no Application. */
const SET_OF_FLEET = `
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: fleet-set}
spec:
  generators: [{clusters: {selector: {matchLabels: {none: such}}}}]
  template:
    metadata: {name: 'fleet-{{name}}'}
    spec:
      project: default
      source: {repoURL: 'https://git.example.com/x.git', path: x}
      destination: {server: '{{server}}', namespace: x}
`;
