import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MusterError } from '@muster/base';
import { parseVerbs } from '@muster/link';
import * as z from 'zod';
import type { PrometheusAccess } from './access/prometheus.ts';
import type { Power } from './apply/power.ts';

/** Every setting of the agent, by the environment variable that sets it. */
export const settings = z.object({
  MUSTER_AGENT_HUB: z.string().default('').describe('host:port of the hub’s session gateway'),
  MUSTER_AGENT_ENROL: z
    .string()
    .default('')
    .describe('host:port of the hub’s enrolment gateway; needed to join'),
  MUSTER_AGENT_CA_SHA256: z
    .string()
    .regex(/^([0-9a-fA-F]{64})?$/, 'must be 64 hexadecimal digits')
    .default('')
    .describe('SHA-256 of the hub’s CA certificate (DER), as the install command shows it; needed to join'),
  MUSTER_AGENT_TOKEN: z.string().default('').describe('join token; needed once'),
  MUSTER_AGENT_TOKEN_FILE: z.string().default('').describe('file that holds the join token'),
  MUSTER_AGENT_STORE: z
    .enum(['', 'secrets', 'folder'])
    .default('')
    .describe('where identity, assignments and bundles are kept; secrets in a cluster, else folder'),
  MUSTER_AGENT_STATE_DIR: z.string().default('').describe('folder of the folder store; made with mode 0700'),
  MUSTER_AGENT_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a namespace')
    .default('muster-agent')
    .describe('namespace of the agent’s Secrets and Lease'),
  KUBECONFIG: z.string().default('').describe('kubeconfig; unset: the Pod’s account, else ~/.kube/config'),
  MUSTER_AGENT_CONTEXT: z.string().default('').describe('context of the kubeconfig; unset: its current one'),
  MUSTER_AGENT_NAMESPACES: z
    .string()
    .default('')
    .describe(
      'comma-separated namespaces the agent is limited to, globs with * allowed, ! in front excludes; unset: the whole cluster',
    ),
  MUSTER_AGENT_KINDS: z
    .string()
    .default('')
    .describe(
      'comma-separated kinds the agent touches, as group/Kind (core kinds by the bare Kind), globs allowed, ! in front excludes; unset: all',
    ),
  MUSTER_AGENT_CLUSTER_KINDS: z
    .string()
    .default('')
    .describe(
      'the same for kinds that belong to no namespace; unset: all, or none where MUSTER_AGENT_NAMESPACES lists some',
    ),
  MUSTER_AGENT_SERVICE_ACCOUNTS: z
    .string()
    .default('')
    .describe(
      'comma-separated ServiceAccounts (namespace/name) the agent acts as for Applications, globs allowed, ! in front excludes; unset: any',
    ),
  MUSTER_AGENT_NEEDS_SERVICE_ACCOUNT: z
    .enum(['true', 'false'], { error: 'is neither true nor false' })
    .default('false')
    .describe('true: the agent writes nothing as itself, so each Application needs a ServiceAccount'),
  MUSTER_AGENT_VERBS: z
    .string()
    .default('all')
    .describe(
      'what the agent accepts from its hub: all, observe-only, no-delete, verbs, and -verb to take one away, separated by commas',
    ),
  MUSTER_AGENT_HEALTH_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .describe('port of /livez, /readyz, /metrics; 0: off'),
  MUSTER_AGENT_HEALTH_HOST: z.string().default('0.0.0.0').describe('address that the health port listens on'),
  MUSTER_AGENT_SYNC_DEADLINE: z.coerce
    .number()
    .int()
    .min(0)
    .default(3600)
    .describe('seconds that a sync may take at most, hooks and waves included; 0: no limit'),
  MUSTER_AGENT_WAVE_PAUSE: z.coerce
    .number()
    .min(0)
    .max(600)
    .default(2)
    .describe('seconds between two sync waves, so that controllers see the first before the second comes'),
  MUSTER_AGENT_PROMETHEUS_URL: z
    .string()
    .regex(/^(https?:\/\/[^\s@]+)?$/, 'must be a URL that starts with http:// or https:// and names no user')
    .default('')
    .describe(
      'Prometheus that gates of rollouts have the agent ask inside its cluster, such as http://prometheus.monitoring:9090',
    ),
  MUSTER_AGENT_PROMETHEUS_TOKEN_FILE: z
    .string()
    .default('')
    .describe('file with a bearer token for that Prometheus; read anew each time'),
  MUSTER_AGENT_PROMETHEUS_SERVICES: z
    .string()
    .default('')
    .describe(
      'comma-separated Services (namespace/name:port) that a gate may name instead, globs allowed; unset: none',
    ),
  MUSTER_AGENT_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info'),
  KUBERNETES_SERVICE_HOST: z.string().default('').describe('set by Kubernetes in every Pod'),
});

/** The settings in the shape that the code uses. */
export interface Config {
  hub: string;
  enrol: string;
  caSha256: string;
  token: string;
  tokenFile: string;
  store: 'secrets' | 'folder';
  stateDir: string;
  namespace: string;
  kubeconfig: string;
  context: string;
  power: Power;
  healthPort: number;
  healthHost: string;
  syncDeadlineMs: number;
  wavePauseMs: number;
  prometheus: PrometheusAccess;
  logLevel: string;
  inCluster: boolean;
}

/** Reads the environment. Throws MusterError `invalid` that names the setting. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const parsed = settings.safeParse(env);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new MusterError('invalid', issue.message, { where: String(issue.path[0]) });
  }
  const set = parsed.data;
  const inCluster =
    set.KUBERNETES_SERVICE_HOST !== '' && existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token');
  return {
    hub: address('MUSTER_AGENT_HUB', set.MUSTER_AGENT_HUB),
    enrol: address('MUSTER_AGENT_ENROL', set.MUSTER_AGENT_ENROL),
    caSha256: set.MUSTER_AGENT_CA_SHA256.toLowerCase(),
    token: set.MUSTER_AGENT_TOKEN,
    tokenFile: set.MUSTER_AGENT_TOKEN_FILE,
    store: set.MUSTER_AGENT_STORE || (inCluster ? 'secrets' : 'folder'),
    stateDir: set.MUSTER_AGENT_STATE_DIR || join(homedir(), '.muster', 'agent'),
    namespace: set.MUSTER_AGENT_NAMESPACE,
    kubeconfig: set.KUBECONFIG,
    context: set.MUSTER_AGENT_CONTEXT,
    power: {
      accepted: verbs(set.MUSTER_AGENT_VERBS),
      namespaces: list(set.MUSTER_AGENT_NAMESPACES),
      kinds: list(set.MUSTER_AGENT_KINDS),
      clusterKinds: list(set.MUSTER_AGENT_CLUSTER_KINDS),
      serviceAccounts: list(set.MUSTER_AGENT_SERVICE_ACCOUNTS),
      needsServiceAccount: set.MUSTER_AGENT_NEEDS_SERVICE_ACCOUNT === 'true',
    },
    healthPort: set.MUSTER_AGENT_HEALTH_PORT,
    healthHost: set.MUSTER_AGENT_HEALTH_HOST,
    syncDeadlineMs: set.MUSTER_AGENT_SYNC_DEADLINE * 1_000,
    wavePauseMs: set.MUSTER_AGENT_WAVE_PAUSE * 1_000,
    prometheus: {
      url: set.MUSTER_AGENT_PROMETHEUS_URL,
      tokenFile: set.MUSTER_AGENT_PROMETHEUS_TOKEN_FILE,
      services: list(set.MUSTER_AGENT_PROMETHEUS_SERVICES),
    },
    logLevel: set.MUSTER_AGENT_LOG_LEVEL,
    inCluster,
  };
}

function verbs(text: string): Power['accepted'] {
  try {
    return parseVerbs(text);
  } catch (thrown) {
    const { message, hint } = MusterError.from(thrown);
    throw new MusterError('invalid', message, { where: 'MUSTER_AGENT_VERBS', hint });
  }
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

function address(name: string, value: string): string {
  if (value === '' || /^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$/.test(value)) return value;
  throw new MusterError('invalid', `"${value}" is not host:port`, { where: name });
}
