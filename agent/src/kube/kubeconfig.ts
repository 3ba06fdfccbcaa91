import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { MusterError, sha256 } from '@muster/base';

/** What a connection to the API server needs now. `tlsKey` changes when the TLS part does. */
export interface Credentials {
  headers: Record<string, string>;
  tls: {
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    servername?: string;
    rejectUnauthorized?: boolean;
  };
  tlsKey: string;
}

/** Where the API server is and how to authenticate to it. */
export interface KubeAccess {
  server: URL;
  /** Read again after at most 15 s, so that tokens that rotate are followed. */
  credentials(): Promise<Credentials>;
}

export interface AccessOptions {
  /** Path of a kubeconfig, or several joined as KUBECONFIG allows; unset: the usual places, then the Pod's account. */
  kubeconfig?: string;
  /** Context of it; unset: its current one. */
  context?: string;
}

const CREDENTIALS_LIFE_MS = 15_000;

/** The access that a kubeconfig or the Pod's ServiceAccount gives. Throws MusterError `invalid` for one that cannot be used. */
export function kubeAccess(options: AccessOptions, inCluster: boolean): KubeAccess {
  const config = load(options, inCluster);
  const cluster = config.getCurrentCluster();
  if (!cluster?.server) {
    throw new MusterError('invalid', 'the kubeconfig names no cluster to talk to', {
      where: options.kubeconfig ?? 'KUBECONFIG',
      hint: 'set KUBECONFIG, and MUSTER_AGENT_CONTEXT to one of its contexts',
    });
  }
  if (cluster.proxyUrl) {
    throw new MusterError('unsupported', `proxy-url of cluster "${cluster.name}" is not supported`, {
      where: options.kubeconfig ?? 'KUBECONFIG',
    });
  }
  let cached: { at: number; value: Promise<Credentials> } | undefined;
  return {
    server: new URL(cluster.server),
    credentials() {
      if (!cached || Date.now() - cached.at > CREDENTIALS_LIFE_MS) {
        const value = read(config);
        cached = { at: Date.now(), value };
        value.catch(() => {
          cached = undefined;
        });
      }
      return cached.value;
    },
  };
}

function load(options: AccessOptions, inCluster: boolean): KubeConfig {
  const config = new KubeConfig();
  try {
    if (options.kubeconfig && !options.kubeconfig.includes(':')) config.loadFromFile(options.kubeconfig);
    else if (inCluster && !options.kubeconfig) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (thrown) {
    throw new MusterError('invalid', `the kubeconfig cannot be read: ${(thrown as Error).message}`, {
      where: options.kubeconfig ?? 'KUBECONFIG',
      cause: thrown,
    });
  }
  if (options.context) {
    if (!config.getContextObject(options.context)) {
      throw new MusterError('not-found', `the kubeconfig has no context "${options.context}"`, {
        where: 'MUSTER_AGENT_CONTEXT',
      });
    }
    config.setCurrentContext(options.context);
  }
  return config;
}

async function read(config: KubeConfig): Promise<Credentials> {
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries((options.headers ?? {}) as Record<string, unknown>)) {
    if (name.toLowerCase() !== 'user-agent') headers[name.toLowerCase()] = String(value);
  }
  const basic = (options as { auth?: string }).auth;
  if (basic) headers.authorization = `Basic ${Buffer.from(basic).toString('base64')}`;
  const { ca, cert, key, servername, rejectUnauthorized } = options as Credentials['tls'];
  const tls = defined({ ca, cert, key, servername, rejectUnauthorized });
  const tlsKey = sha256([ca, cert, key, servername, rejectUnauthorized].map(String).join('\n'));
  return { headers, tls, tlsKey };
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
