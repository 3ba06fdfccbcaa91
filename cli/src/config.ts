import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MusterError } from '@muster/base';

/** A hub that was logged in to. */
export interface HubContext {
  url: string;
  token?: string;
  /** Of the token, so that logging out can revoke it. */
  tokenId?: string;
  user?: string;
}

/** `config.json`: several hubs by name, one of them current. */
export interface CliConfig {
  current?: string;
  hubs: Record<string, HubContext>;
}

/** @throws MusterError invalid, with the file, when it is not ours. */
export function readCliConfig(file: string): CliConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return { hubs: {} };
    throw new MusterError('invalid', `cannot be read: ${(thrown as Error).message}`, { where: file });
  }
  try {
    const config = JSON.parse(text) as Partial<CliConfig>;
    return { ...config, hubs: config.hubs ?? {} };
  } catch (cause) {
    throw new MusterError('invalid', 'is not JSON', { where: file, cause, hint: 'Repair or delete it.' });
  }
}

/** Replaces the file whole, readable by its owner only. */
export function writeCliConfig(file: string, config: CliConfig): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, file);
}

/** What names a hub: flags before environment before file. */
export interface ConnectionFlags {
  hub?: string;
  token?: string;
  context?: string;
}

export interface Connection {
  hub: string;
  token?: string;
  /** The context that it came from. */
  context?: string;
}

/**
 * The hub to talk to. A hub named by URL takes the token of the context with the same URL, never another's.
 * @throws MusterError when nothing names a hub, or the context does not exist.
 */
export function chooseConnection(
  flags: ConnectionFlags,
  env: ConnectionFlags,
  config: CliConfig,
): Connection {
  const token = flags.token ?? env.token;
  // A flag of either kind goes before anything in the environment.
  const source = flags.hub || flags.context ? flags : env.hub || env.context ? env : {};
  if (source.hub) {
    const hub = normalizeUrl(source.hub);
    const named = source.context ? config.hubs[source.context] : undefined;
    const [context, stored] =
      named?.url === hub
        ? [source.context, named]
        : (Object.entries(config.hubs).find(([, each]) => each.url === hub) ?? []);
    return { hub, token: token ?? stored?.token, context };
  }
  const context = source.context ?? config.current;
  if (context === undefined) {
    throw new MusterError('invalid', 'no hub is known', { hint: 'muster login URL, or set MUSTER_HUB' });
  }
  const stored = config.hubs[context];
  if (!stored) {
    const names = Object.keys(config.hubs).join(', ') || 'none';
    throw new MusterError('invalid', `there is no context ${context}`, { hint: `known: ${names}` });
  }
  return { hub: stored.url, token: token ?? stored.token, context };
}

/** `https://host/`, `host:8080` → what requests begin with. @throws MusterError for what is no address. */
export function normalizeUrl(text: string): string {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${schemeFor(text)}://${text}`;
  if (!URL.canParse(withScheme)) throw new MusterError('invalid', `${text} is not the address of a hub`);
  const url = new URL(withScheme);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new MusterError('invalid', `${text} is not the address of a hub`, { hint: 'http:// or https://' });
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Plain HTTP is for this machine only. */
function schemeFor(host: string): string {
  return /^(localhost|127\.|\[::1\])/.test(host) ? 'http' : 'https';
}
