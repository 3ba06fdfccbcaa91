import type { Facts } from '@muster/proto';

/** Facts as stored and shown. */
export interface BoundedFacts {
  kubernetesVersion: string;
  apiVersions: string[];
  nodeCount: number;
  agentVersion: string;
  platform: string;
  namespaces: string[];
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
