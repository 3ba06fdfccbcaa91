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

/** Ports that were actually taken; filled in when the servers listen. */
export interface ListeningPorts {
  session?: number;
  enrol?: number;
}

export const LISTENING_PORTS = Symbol('listening ports');

export function gatewayAddresses(config: Config, ports: ListeningPorts): GatewayAddresses {
  const enrolPort = ports.enrol ?? config.enrolPort;
  if (config.gatewayAddress) {
    const host = hostOf(config.gatewayAddress);
    return { gateway: config.gatewayAddress, enrol: config.enrolAddress ?? `${host}:${enrolPort}`, external: true };
  }
  const host = config.gatewayHost === '0.0.0.0' || config.gatewayHost === '::' ? 'localhost' : config.gatewayHost;
  return {
    gateway: `${host}:${ports.session ?? config.sessionPort}`,
    enrol: config.enrolAddress ?? `${host}:${enrolPort}`,
    external: false,
  };
}

/** The names and addresses that the gateway's certificate has to carry. */
export function gatewayNames(config: Config): string[] {
  const listening = config.gatewayHost === '0.0.0.0' || config.gatewayHost === '::' ? [] : [config.gatewayHost];
  const named = [config.gatewayAddress, config.enrolAddress].filter((each) => each !== undefined).map(hostOf);
  return [...new Set([...named.map(unbracket), ...listening, 'localhost', '127.0.0.1'])];
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

function unbracket(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
