import type { Listening } from '../api/readiness.ts';
import type { Config } from '../config.ts';

/** Where agents find the hub, as far as it is known. */
export interface GatewayAddresses {
  /** host:port of sessions. */
  gateway: string;
  /** host:port of enrolment. */
  enrol: string;
  /** False: a guess that works on this machine only. */
  external: boolean;
}

/** What agents dial: as set (enrolment one port above sessions unless set, as in the agent's chart), else where the hub listens. */
export function gatewayAddresses(
  config: Config,
  listening: Pick<Listening, 'session' | 'enrol'>,
): GatewayAddresses {
  const session = reachable(listening.session ?? `${config.gatewayHost}:${config.sessionPort}`);
  const enrol = reachable(listening.enrol ?? `${config.gatewayHost}:${config.enrolPort}`);
  if (!config.gatewayAddress)
    return { gateway: session, enrol: config.enrolAddress ?? enrol, external: false };
  const nextPort = Number(portOf(config.gatewayAddress)) + 1;
  const fallback = `${hostOf(config.gatewayAddress)}:${nextPort}`;
  return { gateway: config.gatewayAddress, enrol: config.enrolAddress ?? fallback, external: true };
}

/** A wildcard address can be listened on and not dialled. */
function reachable(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[?::\]?):(\d+)$/, 'localhost:$2');
}

/** The names and addresses that the gateway's certificate has to carry. */
export function gatewayNames(config: Config): string[] {
  const listening =
    config.gatewayHost === '0.0.0.0' || config.gatewayHost === '::' ? [] : [config.gatewayHost];
  const named = [config.gatewayAddress, config.enrolAddress].filter((each) => each !== undefined).map(hostOf);
  return [...new Set([...named.map(unbracket), ...listening, 'localhost', '127.0.0.1'])];
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}

function unbracket(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
