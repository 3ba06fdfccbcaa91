import type { CreatedJoinToken } from '@muster/api';

export interface InstallFacts {
  token: string;
  gateway: string;
  enrol: string;
  caSha256: string;
  /** URL under which the hub serves its charts. */
  publicUrl?: string;
  gatewayIsExternal: boolean;
  chartVersion: string;
}

/** What to run in the cluster; without a gateway address that clusters can reach, why there is nothing to run. */
export function installCommand(facts: InstallFacts): CreatedJoinToken['install'] {
  const values = {
    'hub.address': facts.gateway,
    'hub.enrolAddress': facts.enrol,
    'hub.caSha256': facts.caSha256,
    token: facts.token,
  };
  const missing = [
    ...(facts.gatewayIsExternal ? [] : ['MUSTER_GATEWAY_ADDRESS']),
    ...(facts.publicUrl ? [] : ['MUSTER_PUBLIC_URL']),
  ];
  if (missing.length > 0) {
    const reason = `the hub does not know the address that clusters reach it at: set ${missing.join(' and ')} (gateway.address and publicUrl of the chart)`;
    return { missing, reason, values };
  }
  const chart = `${facts.publicUrl!.replace(/\/+$/, '')}/charts/muster-agent-${facts.chartVersion}.tgz`;
  const lines = [
    `helm install muster-agent ${quote(chart)}`,
    '--namespace muster-agent --create-namespace',
    ...Object.entries(values).map(([key, value]) => `--set-string ${quote(`${key}=${escapeComma(value)}`)}`),
  ];
  return { command: lines.join(' \\\n  '), missing, values };
}

function quote(text: string): string {
  return /^[A-Za-z0-9_./:=@-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`;
}

/** Helm splits --set-string at commas. */
function escapeComma(text: string): string {
  return text.replace(/[\\,]/g, '\\$&');
}
