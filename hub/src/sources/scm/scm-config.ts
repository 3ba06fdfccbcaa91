import type { ExternalGenerator } from '@muster/appset';
import { MusterError } from '@muster/base';
import type { Credentials } from '../credentials.ts';
import { bitbucketServer, bitbucketServerApi } from './bitbucket-server.ts';
import { githubApi, githubLike } from './github.ts';
import { gitlab, gitlabApi } from './gitlab.ts';
import { HostSettings, type ScmHost } from './scm-host.ts';
import type { ScmHttp } from './scm-http.ts';

const HOSTS = ['github', 'gitlab', 'gitea', 'bitbucketServer'] as const;
type HostKind = (typeof HOSTS)[number];
const OTHERS = ['azureDevOps', 'azuredevops', 'bitbucket', 'awsCodeCommit', 'awscodecommit'];
/** What names a Secret with credentials. */
const REFERENCES = ['tokenRef', 'basicAuth', 'bearerToken'];
const UNSUPPORTED: Record<string, string> = {
  appSecretName: 'GitHub Apps are not supported yet; use a token',
  caRef: 'certificates from a ConfigMap are not supported; trust them in the hub’s environment',
};

/** The host that a generator asks, checked. */
export interface ScmTarget {
  kind: HostKind;
  settings: HostSettings;
  api: string;
  /** Where credentials for it are registered: the host itself, and every folder down to what is read. */
  credentialUrls: string[];
  /** It names a Secret: without registered credentials it is not asked. */
  needsCredentials: boolean;
}

/** What keeps a generator from being used, in words; fields that a matrix fills are not judged. */
export function scmProblem(generator: Record<string, unknown>): string | undefined {
  const other = OTHERS.find((kind) => generator[kind]);
  if (other) return `${other}: this host is not supported yet; ${HOSTS.join(', ')} are`;
  const kind = HOSTS.find((each) => generator[each]);
  if (!kind) return `github: no host is named; ${HOSTS.join(', ')} are supported`;
  const settings = generator[kind] as Record<string, unknown>;
  const field = Object.keys(UNSUPPORTED).find((each) => settings[each]);
  if (field) return `${kind}.${field}: ${UNSUPPORTED[field]}`;
  if (settings['insecure'] === true) return `${kind}.insecure: certificates are always checked`;
  return undefined;
}

/** @throws MusterError `invalid` or `unsupported` that names the field. */
export function scmTarget(generator: ExternalGenerator): ScmTarget {
  const problem = scmProblem(generator);
  if (problem) throw new MusterError('unsupported', problem);
  const kind = HOSTS.find((each) => generator[each])!;
  const read = HostSettings.safeParse(generator[kind]);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new MusterError('invalid', issue?.message ?? 'not settings', {
      where: `${kind}.${issue?.path.join('.')}`,
    });
  }
  const settings = read.data;
  const api = apiOf(kind, settings.api);
  const home = kind === 'github' && !settings.api ? 'https://github.com' : new URL(api).origin;
  const inside = [
    settings.owner || settings.organization || settings.group || settings.project,
    settings.repo,
  ];
  const path = inside.join('/').split('/').filter(Boolean);
  return {
    kind,
    settings,
    api,
    credentialUrls: [home, ...path.map((_, i) => `${home}/${path.slice(0, i + 1).join('/')}`)],
    needsCredentials: REFERENCES.some((field) => settings[field]),
  };
}

function apiOf(kind: HostKind, given: string | null | undefined): string {
  let api: string;
  try {
    if (kind === 'github') api = githubApi(given);
    else if (kind === 'gitlab') api = gitlabApi(given);
    else if (kind === 'gitea') api = `${new URL(given ?? '').href.replace(/\/+$/, '')}/api/v1`;
    else api = bitbucketServerApi(given ?? '');
    const { protocol, username, password } = new URL(api);
    if (!/^https?:$/.test(protocol) || username || password) throw new Error('not an address');
  } catch {
    throw new MusterError('invalid', 'must be the http or https address of the host', {
      where: `${kind}.api`,
    });
  }
  return api;
}

export function scmHost({ kind, settings }: ScmTarget, http: ScmHttp, cloneProtocol: unknown): ScmHost {
  switch (kind) {
    case 'github':
    case 'gitea':
      return githubLike(kind, settings, http, cloneProtocol);
    case 'gitlab':
      return gitlab(settings, http, cloneProtocol);
    case 'bitbucketServer':
      return bitbucketServer(settings, http, cloneProtocol);
  }
}

/** The headers that authenticate. @throws MusterError `invalid` for credentials that do not fit, or would be overheard. */
export function scmHeaders(
  { kind, api, settings }: ScmTarget,
  credentials?: Credentials,
): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'muster' };
  if (!credentials) return headers;
  const { protocol, hostname } = new URL(api);
  if (protocol === 'http:' && !/^(127\.0\.0\.1|localhost|\[::1\])$/.test(hostname)) {
    throw new MusterError(
      'invalid',
      'credentials are not sent over http, where anyone on the way reads them',
    );
  }
  if (credentials.kind === 'ssh')
    throw new MusterError('invalid', `the API of ${hostname} needs a token or password, not an SSH key`);
  const secret = credentials.kind === 'token' ? credentials.token : credentials.password;
  const user = credentials.kind === 'password' ? credentials.username : settings.basicAuth?.username;
  if (kind === 'gitlab') headers['private-token'] = secret;
  else if (kind === 'gitea') headers['authorization'] = `token ${secret}`;
  else if (kind === 'bitbucketServer' && user)
    headers['authorization'] = `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  else headers['authorization'] = `Bearer ${secret}`;
  return headers;
}
