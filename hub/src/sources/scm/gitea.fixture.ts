/** A real Gitea server on free ports with a database of its own, for tests. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { chownSync, constants, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { vi } from 'vitest';

const tools = pathToFileURL(fileURLToPath(new URL('../../../../tools/go-tools.mjs', import.meta.url))).href;
const run = promisify(execFile);

interface GoTools {
  ensureGoTool(name: string): Promise<string>;
  goToolState(name: string): { cached: boolean };
}

/** Why no server can run here; undefined: one can, though it may have to be built first. */
export async function giteaProblem(): Promise<string | undefined> {
  const { goToolState } = (await import(tools)) as GoTools;
  if (goToolState('gitea').cached) return undefined;
  try {
    execFileSync('gcc', ['--version'], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'Gitea is not built yet, and building it needs gcc (apt-get install gcc)';
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks into answers of any shape
type Answer = any;

export interface Gitea {
  url: string;
  /** The administrator's token. */
  token: string;
  sshPort: number;
  /** Its lines of a known_hosts file. */
  knownHosts: string;
  /** Calls `/api/v1`; throws for what is not 2xx. */
  api(method: string, path: string, body?: unknown, token?: string): Promise<Answer>;
  /** A user, or one known already, with a new token of the scopes. */
  reader(user: string, scopes?: string[]): Promise<{ id: number; token: string }>;
  revoke(user: string, tokenId: number): Promise<void>;
  organisation(name: string): Promise<void>;
  repository(owner: string, name: string, files?: Files, settings?: object): Promise<void>;
  /** Commits files to a branch (`from`: made there first); answers the commit. */
  commit(repository: string, files: Files, branch?: { name: string; from?: string }): Promise<string>;
  pullRequest(repository: string, head: string, labels?: string[]): Promise<number>;
  label(repository: string, pull: number, name: string, on: boolean): Promise<void>;
  webhook(repository: string, url: string, secret: string, events: string[]): Promise<number>;
  /** Ends the process; `up` starts it again on the same ports. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Paths to contents. */
export type Files = Record<string, string>;

const PASSWORD = 'correct horse battery staple';

/** Builds Gitea where it is not cached, starts it, and makes the administrator `owner`. */
export async function startGitea(): Promise<Gitea> {
  const { ensureGoTool } = (await import(tools)) as GoTools;
  const folder = mkdtempSync(join(tmpdir(), 'muster-gitea-'));
  const { program, user } = placed(await ensureGoTool('gitea'), folder);
  const [httpPort, sshPort] = [await freePort(), await freePort()];
  const config = join(folder, 'app.ini');
  writeFileSync(config, settings(dirname(program), folder, user.name, httpPort, sshPort));
  if (user.uid !== undefined) chownSync(config, user.uid, user.uid);
  const env = { PATH: process.env.PATH, HOME: folder, USER: user.name };
  const options = { cwd: folder, env, ...(user.uid === undefined ? {} : { uid: user.uid, gid: user.uid }) };
  const url = `http://127.0.0.1:${httpPort}`;
  await run(program, ['migrate', '--config', config], options);
  const made = await run(
    program,
    [
      ...[
        'admin',
        'user',
        'create',
        '--config',
        config,
        '--admin',
        '--username',
        'owner',
        '--email',
        'owner@x.example',
      ],
      ...[
        '--password',
        PASSWORD,
        '--must-change-password=false',
        '--access-token',
        '--access-token-scopes',
        'all',
      ],
    ],
    options,
  );
  const token = /[0-9a-f]{40}/.exec(made.stdout)?.[0];
  if (!token) throw new Error(`Gitea gave no token: ${made.stdout} ${made.stderr}`);
  let child: ChildProcess | undefined;
  const up = async () => {
    child = spawn(program, ['web', '--config', config], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    await answers(child, `${url}/api/v1/version`);
  };
  const down = async () => {
    if (child) await ended(child);
  };
  try {
    await up();
  } catch (thrown) {
    await down();
    rmSync(folder, { recursive: true, force: true });
    throw thrown;
  }
  const { stdout: keys } = await run('ssh-keyscan', ['-p', String(sshPort), '127.0.0.1']);
  const api = apiOf(url, token);
  return {
    url,
    token,
    sshPort,
    knownHosts: keys,
    up,
    down,
    ...actions(api),
    async stop() {
      await down();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function apiOf(url: string, admin: string) {
  return async (method: string, path: string, body?: unknown, as = admin): Promise<Answer> => {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: as.includes(' ') ? as : `token ${as}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
}

const basic = (user: string) => `Basic ${Buffer.from(`${user}:${PASSWORD}`).toString('base64')}`;

function actions(api: ReturnType<typeof apiOf>) {
  const labels = new Map<string, number>();
  const labelId = async (repository: string, name: string) => {
    const key = `${repository} ${name}`;
    const known = labels.get(key);
    if (known !== undefined) return known;
    const { id } = await api('POST', `repos/${repository}/labels`, { name, color: '#00aabb' });
    labels.set(key, id);
    return id as number;
  };
  const commit: Gitea['commit'] = async (repository, files, branch = { name: 'main' }) => {
    const { commit: made } = await api('POST', `repos/${repository}/contents`, {
      message: 'a change',
      ...(branch.from ? { branch: branch.from, new_branch: branch.name } : { branch: branch.name }),
      files: await Promise.all(
        Object.entries(files).map(async ([path, content]) => {
          const at = branch.from ?? branch.name;
          const there = await api('GET', `repos/${repository}/contents/${path}?ref=${at}`).catch(
            () => undefined,
          );
          const operation = there ? { operation: 'update', sha: there.sha } : { operation: 'create' };
          return { ...operation, path, content: Buffer.from(content).toString('base64') };
        }),
      ),
    });
    return made.sha as string;
  };
  return {
    api,
    commit,
    async reader(user: string, scopes = ['read:repository', 'read:organization', 'read:issue']) {
      const account = {
        username: user,
        email: `${user}@x.example`,
        password: PASSWORD,
        must_change_password: false,
      };
      await api('POST', 'admin/users', account).catch(() => undefined);
      const name = `token-${Math.random().toString(36).slice(2)}`;
      const { id, sha1 } = await api('POST', `users/${user}/tokens`, { name, scopes }, basic(user));
      return { id: id as number, token: sha1 as string };
    },
    async revoke(user: string, tokenId: number) {
      await api('DELETE', `users/${user}/tokens/${tokenId}`, undefined, basic(user));
    },
    async organisation(name: string) {
      await api('POST', 'orgs', { username: name });
    },
    async repository(owner: string, name: string, files: Files = {}, more: object = {}) {
      await api('POST', `orgs/${owner}/repos`, { name, auto_init: true, default_branch: 'main', ...more });
      if (Object.keys(files).length > 0) await commit(`${owner}/${name}`, files);
    },
    async pullRequest(repository: string, head: string, names: string[] = []) {
      const ids = await Promise.all(names.map((name) => labelId(repository, name)));
      const made = await api('POST', `repos/${repository}/pulls`, {
        base: 'main',
        head,
        title: head,
        labels: ids,
      });
      return made.number as number;
    },
    async label(repository: string, pull: number, name: string, on: boolean) {
      const id = await labelId(repository, name);
      const path = `repos/${repository}/issues/${pull}/labels`;
      if (on) await api('POST', path, { labels: [id] });
      else await api('DELETE', `${path}/${id}`);
    },
    async webhook(repository: string, target: string, secret: string, events: string[]) {
      const config = { url: target, content_type: 'json', secret };
      const made = await api('POST', `repos/${repository}/hooks`, {
        type: 'gitea',
        active: true,
        config,
        events,
      });
      return made.id as number;
    },
  };
}

function settings(assets: string, folder: string, user: string, httpPort: number, sshPort: number): string {
  return `
RUN_USER = ${user}
RUN_MODE = prod
WORK_PATH = ${folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${httpPort}
ROOT_URL = http://127.0.0.1:${httpPort}/
STATIC_ROOT_PATH = ${assets}
START_SSH_SERVER = true
SSH_DOMAIN = 127.0.0.1
SSH_LISTEN_HOST = 127.0.0.1
SSH_LISTEN_PORT = ${sshPort}
SSH_PORT = ${sshPort}
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = ${join(folder, 'data', 'gitea.db')}
SQLITE_JOURNAL_MODE = WAL
[security]
INSTALL_LOCK = true
PASSWORD_HASH_ALGO = pbkdf2$1000$50
[repository]
ROOT = ${join(folder, 'repositories')}
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = *
[log]
MODE = console
LEVEL = warn
[queue]
TYPE = channel
[indexer]
ISSUE_INDEXER_TYPE = db
[session]
PROVIDER = memory
[cron]
ENABLED = false
[actions]
ENABLED = false
`;
}

/** Gitea is no program for root, whose cache others may not read: there it runs as nobody, from the folder. */
function placed(built: string, folder: string): { program: string; user: { name: string; uid?: number } } {
  if (process.getuid?.() !== 0) return { program: built, user: { name: userInfo().username } };
  const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
  for (const name of ['gitea', 'options', 'templates', 'public'])
    cpSync(join(dirname(built), name), join(folder, name), {
      recursive: true,
      mode: constants.COPYFILE_FICLONE,
    });
  chownSync(folder, uid, uid);
  return { program: join(folder, 'gitea'), user: { name: 'nobody', uid } };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function answers(child: ChildProcess, url: string): Promise<void> {
  let output = '';
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  await vi.waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`Gitea ended: ${output}`);
      await (await fetch(url)).text();
    },
    { timeout: 60_000, interval: 50 },
  );
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exit;
  clearTimeout(late);
}
