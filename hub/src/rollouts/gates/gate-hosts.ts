import { BlockList, isIP } from 'node:net';

/** Addresses that are of no other machine, or tell a machine its own secrets: only what lists them may ask them. */
const SPECIAL: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
  ['ff00::', 8],
];

const special = listOf(SPECIAL);

function listOf(networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of networks) list.addSubnet(address, prefix, familyOf(address));
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** Addresses and networks of a list of hosts. */
function networksOf(hosts: readonly string[]): BlockList {
  const networks = hosts.flatMap((host): [string, number][] => {
    const [address = '', prefix] = withoutPort(host).split('/');
    const family = isIP(address);
    if (family === 0) return [];
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    return Number.isInteger(bits) && bits >= 0 && bits <= (family === 6 ? 128 : 32) ? [[address, bits]] : [];
  });
  return listOf(networks);
}

/** The host of an entry; addresses of IPv6 have colons of their own. */
function withoutPort(entry: string): string {
  if (isIP(entry) === 6) return entry;
  return unbracketed(entry.replace(/:\d{1,5}$/, ''));
}

const unbracketed = (host: string) => host.replace(/^\[(.*)\]$/, '$1');

/** Why a host may not be asked at all; undefined: it may, at an address that may be asked. */
export function hostRefusal(hosts: readonly string[] | undefined, url: string): string | undefined {
  const { hostname, port, protocol } = new URL(url);
  const name = unbracketed(hostname).toLowerCase();
  const at = port || (protocol === 'https:' ? '443' : '80');
  if ((hosts ?? []).some((entry) => entryMatches(entry, name, at))) return undefined;
  return `${hostname} is no host that gates may ask (MUSTER_GATE_HOSTS ${hosts?.length ? `lists ${hosts.join(', ')}` : 'lists none'})`;
}

function entryMatches(entry: string, name: string, port: string): boolean {
  const host = withoutPort(entry);
  const itsPort = isIP(entry) === 6 ? undefined : /:(\d{1,5})$/.exec(entry)?.[1];
  if (itsPort !== undefined && itsPort !== port) return false;
  if (host.startsWith('*.')) return name.endsWith(host.slice(1)) && name.length >= host.length;
  return name === host || (isIP(name) > 0 && networksOf([host]).check(name, familyOf(name)));
}

/** Why an address that a name resolved to may not be asked; undefined: it may. */
export function addressRefusal(hosts: readonly string[] | undefined, address: string): string | undefined {
  if (isIP(address) === 0) return `${address} is no address`;
  const plain = mapped(address) ?? address;
  const family = familyOf(plain);
  if (!special.check(plain, family) || networksOf(hosts ?? []).check(plain, family)) return undefined;
  return `it resolves to ${plain}, which MUSTER_GATE_HOSTS does not list`;
}

/** The address of IPv4 that one of IPv6 stands for, however it is written. */
function mapped(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const written = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname;
  const found = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(written);
  if (!found) return undefined;
  const [high, low] = [Number.parseInt(found[1]!, 16), Number.parseInt(found[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
