import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { MusterError } from '@muster/base';
import { z } from 'zod';

/** Injection token of the hub's settings. */
export const CONFIG = Symbol('config');

interface Setting<S extends z.ZodType> {
  env: string;
  schema: S;
  /** For the reference: what happens when it is not set. */
  unset: string;
  about: string;
  secret?: boolean;
}

const setting = <S extends z.ZodType>(
  env: string,
  schema: S,
  unset: string,
  about: string,
  secret = false,
): Setting<S> => ({ env, schema, unset, about, secret });

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'is not a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not between ${min} and ${max}`);
const port = wholeNumber(0, 65_535);
const hostPort = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^:\s/]+):\d{1,5}$/, 'is not HOST:PORT');
const url = (...protocols: string[]) =>
  z.string().refine(
    (value) => {
      const parsed = URL.canParse(value) ? new URL(value) : undefined;
      return parsed !== undefined && protocols.includes(parsed.protocol);
    },
    `is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  );
const flag = z
  .enum(['true', 'false'], { error: 'is neither true nor false' })
  .transform((value) => value === 'true');
const text = z.string().min(1, 'is empty');
const secretText = z.string().min(8, 'is shorter than 8 characters');

/** Every setting of the hub, in the order of the reference. */
export const settings = {
  dataDir: setting(
    'MUSTER_DATA_DIR',
    text.default('.muster/hub'),
    './.muster/hub',
    'Folder for everything the hub keeps on disk: the embedded PostgreSQL, keys, mirrors of repositories.',
  ),
  databaseUrl: setting(
    'DATABASE_URL',
    url('postgres:', 'postgresql:').optional(),
    'embedded PostgreSQL 18 under the data folder',
    'PostgreSQL 18 to use instead of the embedded one.',
    true,
  ),
  databaseConnections: setting(
    'MUSTER_DATABASE_CONNECTIONS',
    z.coerce.number().int().min(2).max(1000).prefault('20'),
    '20',
    'Connections of one replica to PostgreSQL for requests and work; the queue and notifications need some of their own.',
  ),
  databaseWaitSeconds: setting(
    'MUSTER_DATABASE_WAIT_SECONDS',
    z.coerce.number().min(0.1).max(120).prefault('10'),
    '10',
    'How long a request waits for one of them before it is answered 503 with Retry-After.',
  ),
  redisUrl: setting(
    'REDIS_URL',
    url('redis:', 'rediss:').optional(),
    'the queue lives in PostgreSQL',
    'Redis for the queue.',
    true,
  ),
  httpHost: setting(
    'MUSTER_HTTP_HOST',
    text.default('127.0.0.1'),
    '127.0.0.1',
    'Address the API and the web UI listen on.',
  ),
  httpPort: setting(
    'MUSTER_HTTP_PORT',
    port.prefault('8080'),
    '8080',
    'Port of the API and the web UI; 0 takes a free one.',
  ),
  publicUrl: setting(
    'MUSTER_PUBLIC_URL',
    url('http:', 'https:').optional(),
    'http://HOST:PORT as listened on',
    'How users reach the hub. With https the login cookie is bound to it.',
  ),
  trustedProxies: setting(
    'MUSTER_TRUSTED_PROXIES',
    text.transform((list) => list.split(',').map((address) => address.trim())).optional(),
    'none: X-Forwarded-For is ignored',
    'Addresses or networks of proxies in front of the hub, separated by commas; who they say the client is, is believed.',
  ),
  gatewayHost: setting(
    'MUSTER_GATEWAY_HOST',
    text.default('127.0.0.1'),
    '127.0.0.1',
    'Address the agent gateway listens on (both ports).',
  ),
  sessionPort: setting(
    'MUSTER_SESSION_PORT',
    port.prefault('7443'),
    '7443',
    'Port of agent sessions (mTLS); 0 takes a free one.',
  ),
  enrolPort: setting(
    'MUSTER_ENROL_PORT',
    port.prefault('7444'),
    '7444',
    'Port of agent enrolment (TLS); 0 takes a free one.',
  ),
  gatewayAddress: setting(
    'MUSTER_GATEWAY_ADDRESS',
    hostPort.optional(),
    'no install command is printed',
    'HOST:PORT that agents dial; the gateway certificate names it.',
  ),
  enrolAddress: setting(
    'MUSTER_ENROL_ADDRESS',
    hostPort.optional(),
    'the host of the gateway address, port + 1',
    'HOST:PORT that agents enrol at.',
  ),
  keysDir: setting(
    'MUSTER_KEYS_DIR',
    text.optional(),
    'keys in the data folder, made when absent',
    'Folder of the CA, root, signing and sealing keys. Set explicitly together with DATABASE_URL, it must be complete.',
  ),
  adminPassword: setting(
    'MUSTER_ADMIN_PASSWORD',
    secretText.optional(),
    'generated and written to admin-password in the data folder',
    'Password of the account admin, used when it is made at first start.',
    true,
  ),
  pollSeconds: setting(
    'MUSTER_POLL_SECONDS',
    wholeNumber(1, 86_400).prefault('60'),
    '60',
    'How often a repository without a webhook is asked for new commits.',
  ),
  chartCacheMb: setting(
    'MUSTER_CHART_CACHE_MB',
    wholeNumber(16, 1_048_576).prefault('1024'),
    '1024',
    'Disk for archives of Helm charts and OCI artifacts in MiB; the longest unused leave first.',
  ),
  leaseSeconds: setting(
    'MUSTER_LEASE_SECONDS',
    wholeNumber(2, 3600).prefault('30'),
    '30',
    'Silence of an agent after which its cluster is Unknown.',
  ),
  impersonation: setting(
    'MUSTER_IMPERSONATION',
    z.enum(['listed', 'required', 'off'], { error: 'is neither listed, required nor off' }).default('listed'),
    'listed',
    'Which Applications act as a ServiceAccount: those of projects with destinationServiceAccounts, all, or none.',
  ),
  deletionGraceSeconds: setting(
    'MUSTER_DELETION_GRACE_SECONDS',
    wholeNumber(0, 604_800).prefault('600'),
    '600',
    'How long a removal is shown as leaving, and can be undone, before its tombstone is signed.',
  ),
  renderWorkers: setting(
    'MUSTER_RENDER_WORKERS',
    wholeNumber(1, 64).prefault('1'),
    '1',
    'Renderer instances, each in a thread of its own.',
  ),
  renderTimeoutSeconds: setting(
    'MUSTER_RENDER_TIMEOUT_SECONDS',
    wholeNumber(1, 600).prefault('30'),
    '30',
    'Time limit of one render.',
  ),
  renderMemoryMb: setting(
    'MUSTER_RENDER_MEMORY_MB',
    wholeNumber(64, 4096).prefault('512'),
    '512',
    'Memory limit of one renderer instance in MiB.',
  ),
  plansAtOnce: setting(
    'MUSTER_PLANS_AT_ONCE',
    wholeNumber(1, 64).prefault('2'),
    '2',
    'Plans (`muster plan`) that a replica makes at once; others wait.',
  ),
  rolloutHistory: setting(
    'MUSTER_ROLLOUT_HISTORY',
    wholeNumber(1, 1000).prefault('20'),
    '20',
    'Ended rollouts that each ApplicationSet keeps, with everything that `muster rollout replay` needs.',
  ),
  gateHosts: setting(
    'MUSTER_GATE_HOSTS',
    text.transform((list) => list.split(',').map((host) => host.trim().toLowerCase())).optional(),
    'none: policies with http gates are refused',
    'Hosts that http gates of rollouts may ask, separated by commas: `HOST`, `HOST:PORT`, `*.DOMAIN`, an address or a network (`10.1.0.0/16`). What a name resolves to may be loopback, link-local or a metadata service only where that address is listed too.',
  ),
  gateHeadersDir: setting(
    'MUSTER_GATE_HEADERS_DIR',
    text.optional(),
    'http gates send no headers of their own',
    'Folder of headers for http gates: a file for each name that `headersFrom` may give, with lines `Name: value`.',
  ),
  prometheusUrl: setting(
    'MUSTER_PROMETHEUS_URL',
    url('http:', 'https:').optional(),
    'policies with prometheus gates of the hub are refused',
    'Central Prometheus (or what speaks its API, path included) that prometheus gates with `from: hub` ask.',
  ),
  prometheusTokenFile: setting(
    'MUSTER_PROMETHEUS_TOKEN_FILE',
    text.optional(),
    'no token is sent',
    'File with a bearer token for that Prometheus; read anew each time.',
  ),
  prometheusUser: setting(
    'MUSTER_PROMETHEUS_USER',
    text.optional(),
    'no user is sent',
    'User of that Prometheus (basic authentication).',
  ),
  prometheusPasswordFile: setting(
    'MUSTER_PROMETHEUS_PASSWORD_FILE',
    text.optional(),
    'an empty password',
    'File with the password of that user; read anew each time.',
  ),
  prometheusCaFile: setting(
    'MUSTER_PROMETHEUS_CA_FILE',
    text.optional(),
    'the CAs that Node.js knows',
    'File with the CA (PEM) of that Prometheus.',
  ),
  promotionSeconds: setting(
    'MUSTER_PROMOTION_SECONDS',
    wholeNumber(1, 3600).prefault('15'),
    '15',
    'How often a Promotion looks at its environments and at its open pull requests.',
  ),
  planSeconds: setting(
    'MUSTER_PLAN_SECONDS',
    wholeNumber(5, 3600).prefault('600'),
    '600',
    'Time limit of one plan, waiting included.',
  ),
  rendererWasm: setting(
    'MUSTER_RENDERER_WASM',
    text.optional(),
    'found next to the hub, or built',
    'Path of the renderer module.',
  ),
  webhookSecretGithub: setting(
    'MUSTER_WEBHOOK_SECRET_GITHUB',
    secretText.optional(),
    'webhooks of GitHub are refused',
    'Shared secret of GitHub webhooks.',
    true,
  ),
  webhookSecretGitlab: setting(
    'MUSTER_WEBHOOK_SECRET_GITLAB',
    secretText.optional(),
    'webhooks of GitLab are refused',
    'Shared secret of GitLab webhooks.',
    true,
  ),
  webhookSecretGitea: setting(
    'MUSTER_WEBHOOK_SECRET_GITEA',
    secretText.optional(),
    'webhooks of Gitea and Forgejo are refused',
    'Shared secret of Gitea and Forgejo webhooks.',
    true,
  ),
  webhookSecretBitbucket: setting(
    'MUSTER_WEBHOOK_SECRET_BITBUCKET',
    secretText.optional(),
    'webhooks of Bitbucket are refused',
    'Shared secret of Bitbucket webhooks.',
    true,
  ),
  allowFileRepositories: setting(
    'MUSTER_ALLOW_FILE_REPOSITORIES',
    flag.optional(),
    'true with the embedded PostgreSQL, else false',
    'Whether repositories may be folders of the hub’s own machine.',
  ),
  chartsDir: setting(
    'MUSTER_CHARTS_DIR',
    text.optional(),
    'nothing is served at /charts',
    'Folder of packaged charts, served at /charts.',
  ),
  webDir: setting('MUSTER_WEB_DIR', text.optional(), 'no web UI is served', 'Folder of the built web UI.'),
  logLevel: setting(
    'MUSTER_LOG_LEVEL',
    z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
        error: 'is not trace, debug, info, warn, error or silent',
      })
      .prefault('info'),
    'info',
    'Least severity that is logged.',
  ),
  replicaId: setting(
    'MUSTER_REPLICA_ID',
    text.optional(),
    'random',
    'Name of this replica among others on the same database.',
  ),
  otlpEndpoint: setting(
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    url('http:', 'https:').optional(),
    'no traces are exported',
    'OTLP endpoint for traces.',
  ),
};

type Settings = typeof settings;
type Read = { [K in keyof Settings]: z.output<Settings[K]['schema']> };

/** The hub's settings, complete: paths absolute, defaults filled in. */
export interface Config extends Omit<Read, 'keysDir' | 'allowFileRepositories' | 'replicaId'> {
  keysDir: string;
  /** Whether absent keys are made: not when the folder was named for a hub that shares a database. */
  createKeys: boolean;
  allowFileRepositories: boolean;
  replicaId: string;
  /** The embedded PostgreSQL is used: one replica, on this machine. */
  local: boolean;
}

/** Reads settings from an environment. Throws MusterError `invalid` whose message names each wrong setting. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { env: key, schema }] of Object.entries(settings)) {
    const raw = env[key];
    const result = schema.safeParse(raw === '' ? undefined : raw);
    if (result.success) values[name] = result.data;
    else problems.push(`${key} ${result.error.issues[0]?.message ?? 'is wrong'}`);
  }
  for (const key of Object.keys(env)) {
    if (
      /^MUSTER_(?!AGENT_|E2E_|CACHE$|TEST_|DEMO_|HUB$|TOKEN$|CONFIG$|CONTEXT$)/.test(key) &&
      !known.has(key)
    )
      problems.push(`${key} is not a setting of the hub`);
  }
  if (problems.length > 0) {
    throw new MusterError('invalid', problems.join('; '), { hint: 'See docs/configuration.md.' });
  }
  return complete(values as Read);
}

const known = new Set(Object.values(settings).map(({ env }) => env));

function complete(read: Read): Config {
  const dataDir = resolve(read.dataDir);
  const local = read.databaseUrl === undefined;
  return {
    ...read,
    dataDir,
    local,
    keysDir: read.keysDir ? resolve(read.keysDir) : join(dataDir, 'keys'),
    createKeys: local || read.keysDir === undefined,
    allowFileRepositories: read.allowFileRepositories ?? local,
    replicaId: read.replicaId ?? randomBytes(6).toString('hex'),
  };
}
