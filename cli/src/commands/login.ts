import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { CreatedApiToken, NewApiToken } from '@muster/api';
import { hubClient } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { normalizeUrl, readCliConfig, writeCliConfig } from '../config.ts';
import { UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { fields, printList, printOne } from '../output.ts';

/** A login of a person lasts as long as a quarter; a program makes tokens of its own. */
const TOKEN_SECONDS = 90 * 86_400;

/** How a person shows who they are. */
export interface PasswordOptions {
  username?: string;
  password?: string;
  passwordStdin?: true;
}

interface LoginOptions extends PasswordOptions {
  token?: string;
  tokenStdin?: true;
  name?: string;
}

export function loginCommands(root: Command, host: Host): void {
  verb(root, 'login <url>', {
    summary: 'Log in to a hub and remember it',
    details:
      'Makes an API token for this machine with your name and password, and keeps it in the configuration file.',
    examples: [
      'muster login https://muster.example.com',
      'muster login localhost:8080 --username admin --password-stdin < admin-password',
      'muster login https://muster.example.com --token-stdin < token   # a token that exists already',
    ],
    offline: true,
  })
    .option('-u, --username <name>', 'who you are (asked for when left out)')
    .option('-p, --password <password>', 'visible to others on this machine: rather --password-stdin')
    .option('--password-stdin', 'read the password from standard input')
    .option('--token <token>', 'keep this API token instead: rather --token-stdin')
    .option('--token-stdin', 'read the API token from standard input')
    .option('--name <context>', 'what to call the hub here (default: its host)')
    .action(host.run(login));

  verb(root, 'logout [context]', {
    summary: 'Revoke the token of a hub and forget it',
    examples: ['muster logout', 'muster logout muster.example.com'],
    offline: true,
  }).action(host.run(logout));

  verb(root, 'whoami', {
    summary: 'Show who the hub takes you for, and what you may do',
    examples: ['muster whoami', 'muster whoami -o json'],
    output: true,
  }).action(
    host.run(async (context) => {
      const { hub, context: name } = context.connection();
      const session = await context.client().session.get();
      printOne(context.terminal, context.format, session, session.name, () =>
        fields([
          ['Name', session.name],
          ['Hub', hub],
          ['Context', name],
          ['Roles', session.grants.map(({ role, project }) => `${role} of ${project}`).join(', ') || 'none'],
          ['Until', session.expiresAt],
        ]),
      );
    }),
  );
  contextCommands(root, host);
}

function contextCommands(root: Command, host: Host): void {
  const contexts = group(root, 'context', 'Hubs that this machine knows');
  verb(contexts, 'list', {
    summary: 'List them',
    examples: ['muster context list'],
    output: true,
    offline: true,
  }).action(
    host.run(({ terminal, format, environment }) => {
      const { current, hubs } = readCliConfig(environment.configFile);
      const items = Object.entries(hubs).map(([name, { url, user }]) => ({
        name,
        url,
        user,
        current: name === current,
      }));
      printList(terminal, format, items, {
        name: ({ name }) => name,
        columns: [
          { title: 'CURRENT', value: (each) => (each.current ? '*' : ' ') },
          { title: 'NAME', value: ({ name }) => name },
          { title: 'HUB', value: ({ url }) => url },
          { title: 'USER', value: ({ user }) => user },
        ],
      });
    }),
  );
  verb(contexts, 'use <name>', {
    summary: 'Make one the current',
    examples: ['muster context use staging'],
    offline: true,
  }).action(
    host.run(({ environment, terminal }, name: string) => {
      const config = readCliConfig(environment.configFile);
      if (!config.hubs[name]) throw new MusterError('not-found', `there is no context ${name}`);
      writeCliConfig(environment.configFile, { ...config, current: name });
      terminal.note(`Now using ${name} (${config.hubs[name].url}).`);
    }),
  );
}

async function login(context: Context, url: string, options: LoginOptions): Promise<void> {
  const { environment, terminal } = context;
  const hub = normalizeUrl(url);
  const name = options.name ?? new URL(hub).host;
  const config = readCliConfig(environment.configFile);
  const credential = await obtainToken(context, hub, options);
  const client = hubClient({ hub, token: credential.token, signal: context.signal });
  const session = await client.session.get();
  config.hubs[name] = { url: hub, ...credential, user: session.name };
  writeCliConfig(environment.configFile, { ...config, current: name });
  terminal.note(`Logged in to ${hub} as ${session.name} (context ${name}).`);
}

async function obtainToken(
  context: Context,
  hub: string,
  options: LoginOptions,
): Promise<{ token: string; tokenId?: string }> {
  const { terminal } = context;
  if (options.tokenStdin && options.passwordStdin)
    throw new UsageError('standard input holds either a password or a token');
  if (options.tokenStdin) return { token: (await terminal.stdin()).trim() };
  if (options.token) return { token: options.token };
  const host =
    hostname()
      .replace(/[^A-Za-z0-9.-]/g, '-')
      .slice(0, 60) || 'host';
  const { secret, id } = await createToken(context, hub, options, {
    name: `cli-${host}-${randomBytes(4).toString('hex')}`,
    expiresInSeconds: TOKEN_SECONDS,
  });
  return { token: secret, tokenId: id };
}

/** Makes an API token with name and password: a token cannot make another, so this logs in for a moment. */
export async function createToken(
  context: Context,
  hub: string,
  options: PasswordOptions,
  token: NewApiToken,
): Promise<CreatedApiToken> {
  const { signal } = context;
  const { username, password } = await credentials(context, options);
  const { cookie } = await hubClient({ hub, signal }).session.login({ name: username, password });
  const asUser = hubClient({ hub, cookie, signal });
  try {
    return await asUser.tokens.create(token);
  } finally {
    await asUser.session.logout().catch(() => undefined);
  }
}

async function credentials(
  { terminal }: Context,
  options: PasswordOptions,
): Promise<{ username: string; password: string }> {
  const asked = async (what: string, question: string, hidden = false) => {
    if (!terminal.interactive) throw new UsageError(`${what} is needed, and nobody is here to ask`);
    return terminal.ask(question, { hidden });
  };
  const fromStdin = options.passwordStdin ? (await terminal.stdin()).replace(/\r?\n$/, '') : undefined;
  const username = options.username ?? (await asked('--username', 'Username: '));
  const password = fromStdin ?? options.password ?? (await asked('--password-stdin', 'Password: ', true));
  return { username, password };
}

async function logout({ environment, terminal, signal }: Context, given: string | undefined): Promise<void> {
  const config = readCliConfig(environment.configFile);
  const name = given ?? config.current;
  const stored = name === undefined ? undefined : config.hubs[name];
  if (name === undefined || !stored) {
    throw new MusterError('not-found', name ? `there is no context ${name}` : 'not logged in anywhere');
  }
  delete config.hubs[name];
  const { current } = config;
  writeCliConfig(environment.configFile, { ...config, current: current === name ? undefined : current });
  if (stored.token && stored.tokenId) {
    const client = hubClient({ hub: stored.url, token: stored.token, signal });
    await client.tokens.remove(stored.tokenId).catch((thrown: unknown) => {
      const { message } = MusterError.from(thrown);
      terminal.note(`warning: the token could not be revoked and stays valid until it expires: ${message}`);
    });
  }
  terminal.note(`Logged out of ${stored.url}.`);
}
