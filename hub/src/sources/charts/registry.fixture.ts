/** A real registry, Helm repositories over plain files, and the real helm, for tests. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

const TOOLS = new URL('../../../../tools/go-tools.mjs', import.meta.url);

/** The path of a tool that is built from its Go module. */
export async function tool(name: 'helm' | 'registry'): Promise<string> {
  const { ensureGoTool } = (await import(pathToFileURL(fileURLToPath(TOOLS)).href)) as {
    ensureGoTool(name: string): Promise<string>;
  };
  return ensureGoTool(name);
}

export const USER = { username: 'ada', password: 'pass word' };
/** bcrypt of USER's password. */
const HTPASSWD = 'ada:$2a$05$Dxvn.f.QZ0.C40nP8zg.TONY9zJAq7kyXGPjrrTJlizAAudKcgani\n';

/** helm with a home of its own. */
export class Helm {
  readonly #program: string;
  readonly #home: string;

  constructor(program: string, home: string) {
    this.#program = program;
    this.#home = home;
  }

  async run(...args: string[]): Promise<string> {
    const env = { PATH: process.env.PATH, HOME: this.#home };
    // Not while this process waits: it may be the server that helm asks.
    return (await promisify(execFile)(this.#program, args, { env, timeout: 60_000 })).stdout;
  }

  /** Packs a chart of these files into `folder`; answers the archive's path. */
  async pack(
    folder: string,
    name: string,
    version: string,
    files: Record<string, string> = {},
  ): Promise<string> {
    const chart = join(this.#home, 'charts', `${name}-${version}-${randomUUID()}`, name);
    const all = { 'Chart.yaml': chartYaml(name, version), 'templates/a.yaml': TEMPLATE, ...files };
    for (const [path, content] of Object.entries(all)) {
      mkdirSync(dirname(join(chart, path)), { recursive: true });
      writeFileSync(join(chart, path), content);
    }
    await this.run('package', chart, '--destination', folder);
    return join(folder, `${name}-${version}.tgz`);
  }

  /** Pushes an archive into a registry as USER. */
  async push(archive: string, url: string): Promise<void> {
    const host = url.replace('oci://', '').split('/')[0]!;
    const { username, password } = USER;
    await this.run('registry', 'login', host, '--plain-http', '--username', username, '--password', password);
    await this.run('push', archive, url, '--plain-http');
  }
}

export function chartYaml(name: string, version: string, more = ''): string {
  return `apiVersion: v2\nname: ${name}\nversion: ${version}\nappVersion: "9"\n${more}`;
}

const TEMPLATE =
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Chart.Name }}\ndata:\n  version: {{ .Chart.Version | quote }}\n  color: {{ .Values.color | default "none" }}\n';

export interface Registry {
  /** `127.0.0.1:port`. */
  host: string;
  stop(): Promise<void>;
}

/** Starts a registry under `folder` that lets only USER in: with a password, or with tokens that a server of its own gives. */
export async function startRegistry(folder: string, auth: 'password' | 'token', port = 0): Promise<Registry> {
  mkdirSync(folder, { recursive: true });
  const tokens = auth === 'token' ? await startTokens(folder) : undefined;
  writeFileSync(join(folder, 'htpasswd'), HTPASSWD);
  const config = {
    version: 0.1,
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: 'secret' },
    auth: tokens?.settings ?? { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } },
  };
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
  const child = spawn(await tool('registry'), ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: folder, OTEL_TRACES_EXPORTER: 'none' },
  });
  const host = await listening(child);
  return {
    host,
    async stop() {
      tokens?.server.close();
      const closed = new Promise((resolve) => child.on('close', resolve));
      child.kill();
      await closed;
    },
  };
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const read = (chunk: Buffer) => {
      said += chunk.toString();
      const found = /listening on (127\.0\.0\.1:\d+)/.exec(said);
      if (found) resolve(found[1]!);
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    child.on('close', () => reject(new Error(`the registry ended: ${said.slice(-2000)}`)));
  });
}

async function startTokens(folder: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = 'test';
  const jwks = join(folder, 'jwks.json');
  writeFileSync(
    jwks,
    JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' }] }),
  );
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const server = await listen((request, response) => {
    if (request.headers.authorization !== basicOf(USER)) return void response.writeHead(401).end();
    const scope = new URL(request.url!, 'http://x').searchParams.get('scope') ?? '';
    const [type = '', name = '', actions = ''] = scope.split(':');
    const now = Math.floor(Date.now() / 1000);
    const access = scope === '' ? [] : [{ type, name, actions: actions.split(',') }];
    const claims = {
      iss: 'test',
      sub: 'ada',
      aud: 'charts',
      exp: now + 60,
      nbf: now - 5,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const signed = `${part({ typ: 'JWT', alg: 'ES256', kid })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    response.end(JSON.stringify({ token: `${signed}.${signature.toString('base64url')}`, expires_in: 60 }));
  });
  const realm = `${urlOf(server)}/token`;
  return {
    server,
    settings: { token: { realm, service: 'charts', issuer: 'test', jwks, signingalgorithms: ['ES256'] } },
  };
}

export interface HelmServer {
  url: string;
  /** Paths asked for, with the status answered. */
  asked: { path: string; status: number; authorization: string | undefined }[];
  stop(): Promise<void>;
}

/** Serves a folder over http with ETags; with `USER` only where `closed`. `answer` may take a request over. */
export async function startHelmServer(
  root: string,
  {
    closed = false,
    answer,
  }: { closed?: boolean; answer?: (path: string, response: ServerResponse) => boolean } = {},
): Promise<HelmServer> {
  const asked: HelmServer['asked'] = [];
  const server = await listen((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname);
    const { authorization } = request.headers;
    response.on('finish', () => asked.push({ path, status: response.statusCode, authorization }));
    if (closed && authorization !== basicOf(USER))
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="charts"' }).end();
    if (answer?.(path, response)) return;
    const file = join(root, path);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return void response.writeHead(404).end();
    const content = readFileSync(file);
    const etag = `"${createHash('sha256').update(content).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
    response.writeHead(200, { etag }).end(content);
  });
  return {
    url: urlOf(server),
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function basicOf({ username, password }: typeof USER): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A member of a tar as it is to be written, however wrong. */
export interface TarMember {
  name: string;
  content?: string | Buffer;
  type?: 'file' | 'symlink' | 'link' | 'directory' | 'fifo';
  linkname?: string;
  mtime?: Date;
}

export async function tarOf(members: readonly TarMember[], zipped = true): Promise<Buffer> {
  const tar = pack();
  for (const { name, content = '', type = 'file', linkname, mtime } of members)
    tar.entry(
      { name, type, ...(linkname ? { linkname } : {}), ...(mtime ? { mtime } : {}) },
      Buffer.from(content),
    );
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return zipped ? gzipSync(Buffer.concat(chunks)) : Buffer.concat(chunks);
}

/** Puts an artifact of one layer into a registry as USER: what `oras push` does. Answers the manifest's digest. */
export async function pushArtifact(
  repository: string,
  tag: string,
  layer: Buffer,
  mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip',
): Promise<string> {
  const [host, ...path] = repository.split('/');
  const base = `http://${host}/v2/${path.join('/')}`;
  const headers = { authorization: basicOf(USER) };
  const digest = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const upload = async (bytes: Buffer) => {
    const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers });
    const at = new URL(begun.headers.get('location')!, base);
    at.searchParams.set('digest', digest(bytes));
    const put = { ...headers, 'content-type': 'application/octet-stream' };
    const done = await fetch(at, { method: 'PUT', headers: put, body: new Uint8Array(bytes) });
    if (done.status !== 201) throw new Error(`blob: ${done.status} ${await done.text()}`);
    return { mediaType, digest: digest(bytes), size: bytes.length };
  };
  const config = { ...(await upload(Buffer.from('{}'))), mediaType: 'application/vnd.oci.empty.v1+json' };
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers: [await upload(layer)] }),
  );
  const put = { ...headers, 'content-type': type };
  const done = await fetch(`${base}/manifests/${tag}`, {
    method: 'PUT',
    headers: put,
    body: new Uint8Array(manifest),
  });
  if (done.status !== 201) throw new Error(`manifest: ${done.status} ${await done.text()}`);
  return digest(manifest);
}
