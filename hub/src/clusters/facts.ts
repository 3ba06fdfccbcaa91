import type { AgentLimits, Facts } from '@muster/proto';

/** Facts as stored and shown. */
export interface BoundedFacts {
  kubernetesVersion: string;
  apiVersions: string[];
  nodeCount: number;
  agentVersion: string;
  platform: string;
  namespaces: string[];
  /** Absent: an agent that knows no limits. */
  limits?: AgentLimits;
}

const MAX_API_VERSIONS = 20_000;
const MAX_NAMESPACES = 1_000;

/** Facts as an agent sent them, cut to what a cluster can reasonably have. */
export function boundFacts(facts: Facts): BoundedFacts {
  return {
    kubernetesVersion: short(facts.kubernetesVersion),
    apiVersions: facts.apiVersions.slice(0, MAX_API_VERSIONS).map(long).sort(),
    nodeCount: facts.nodeCount,
    agentVersion: short(facts.agentVersion),
    platform: short(facts.platform),
    namespaces: facts.namespaces.slice(0, MAX_NAMESPACES).map(short),
    ...(facts.limits ? { limits: boundLimits(facts.limits) } : {}),
  };
}

function boundLimits(limits: AgentLimits): AgentLimits {
  const list = (texts: string[]) => texts.slice(0, MAX_NAMESPACES).map(long);
  return {
    verbs: list(limits.verbs),
    namespaces: list(limits.namespaces),
    kinds: list(limits.kinds),
    clusterKinds: list(limits.clusterKinds),
    serviceAccounts: list(limits.serviceAccounts),
    needsServiceAccount: limits.needsServiceAccount,
  };
}

function short(text: string): string {
  return printable(text).slice(0, 128);
}

function long(text: string): string {
  return printable(text).slice(0, 512);
}

/** PostgreSQL takes no NUL, and nobody wants control characters on a page. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '');
}
