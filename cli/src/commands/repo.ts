import { readFile } from 'node:fs/promises';
import type { RepositoryView } from '@muster/api';
import { allItems, type HubClient } from '@muster/api/client';
import { isPin } from '@muster/api/commits';
import { MusterError } from '@muster/base';
import { type Command, Option } from 'commander';
import { UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { age, fields, printList, printOne } from '../output.ts';

const KINDS = ['git', 'helm', 'oci', 'credentials'] as const;
type Kind = (typeof KINDS)[number];

/** How the hub gets into a repository. */
export interface AccessOptions {
  username?: string;
  password?: string;
  passwordStdin?: true;
  token?: string;
  tokenStdin?: true;
  sshPrivateKeyPath?: string;
  knownHosts?: string;
  insecure?: true;
}

interface AddOptions extends AccessOptions {
  type?: Kind;
  name?: string;
  caFile?: string;
  plainHttp?: true;
  passCredentials?: true;
  project?: string;
  write?: true;
  skipCheck?: true;
}

export function repoCommands(root: Command, host: Host): void {
  const repo = group(root, 'repo', 'Repositories: add, credentials, refresh', ['repos', 'repository']);
  verb(repo, 'add <url>', {
    summary: 'Register a Git or Helm repository or a registry, with credentials where it needs them',
    details:
      'The hub connects before it stores it. Credentials are encrypted at rest and never shown again. A registry holds for ' +
      'all charts below its URL; --type credentials holds for every repository and API below the URL that has none of its own.',
    examples: [
      'muster repo add https://github.com/argoproj/argocd-example-apps.git',
      'muster repo add https://git.example.com/x.git --username ci --password-stdin < password',
      'muster repo add git@git.example.com:x.git --ssh-private-key-path ~/.ssh/id_ed25519 --known-hosts known_hosts',
      'muster repo add https://charts.example.com --type helm --username ci --password-stdin < password',
      'muster repo add oci://registry.example.com/charts --username ci --password-stdin < password',
      'muster repo add https://github.com/acme --type credentials --token-stdin < token',
      'muster repo add https://git.example.com/fleet.git --write --token-stdin < token  # promotions push to it',
    ],
    output: true,
    ownToken: true,
  })
    .addOption(
      new Option(
        '--type <type>',
        'git, helm, oci or credentials (default: oci for oci:// URLs, else git)',
      ).choices(KINDS),
    )
    .option('--name <name>', 'how dependencies of charts may call it: repository "@name"')
    .option('--username <name>', 'user name')
    .option('--password <password>', 'visible to others on this machine: rather --password-stdin')
    .option('--password-stdin', 'read the password from standard input')
    .option('--token <token>', 'access token of the Git host: rather --token-stdin')
    .option('--token-stdin', 'read the access token from standard input')
    .option('--ssh-private-key-path <file>', 'private key for ssh')
    .option('--known-hosts <file>', 'host keys to trust, as in a known_hosts file')
    .option('--ca-file <file>', 'certificates to trust besides the system’s (PEM), for charts')
    .option('--plain-http', 'http instead of https, for registries')
    .option('--pass-credentials', 'send the credentials to other hosts too, which the index names')
    .option('--project <name>', 'the project that it belongs to')
    .option('--write', 'promotions may push to it and open pull requests, with these credentials')
    .option('--insecure', 'check neither TLS certificates nor SSH host keys')
    .option('--skip-check', 'do not connect before storing it')
    .action(host.run(add));
  verb(repo, 'list', {
    summary: 'List repositories with what they were last read at',
    examples: ['muster repo list', 'muster repo list -o wide'],
    output: true,
  }).action(host.run(list));
  verb(repo, 'get <url>', {
    summary: 'Show a repository with the revisions in use (by URL or id)',
    examples: ['muster repo get https://git.example.com/x.git'],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const found = await findRepository(context.client(), given);
      printOne(context.terminal, context.format, found, found.url, () =>
        repositoryText(found, context.now()),
      );
    }),
  );
  verb(repo, 'remove <url>', {
    summary: 'Forget a repository and its credentials (by URL or id)',
    examples: ['muster repo remove https://git.example.com/x.git'],
  }).action(
    host.run(async (context, given: string) => {
      const client = context.client();
      const { id, url } = await findRepository(client, given);
      await client.repositories.remove(id);
      context.terminal.out(`repository/${url} removed`);
    }),
  );
  verb(repo, 'refresh <url>', {
    summary: 'Read a repository now instead of at the next poll (by URL or id)',
    details:
      'With --accept, what upstream has is taken in place of what is held: chart versions that were overwritten, and newer ' +
      'versions for ranges of chart dependencies. `muster repo get` shows both.',
    examples: [
      'muster repo refresh https://git.example.com/x.git',
      'muster repo refresh https://charts.example.com --accept',
    ],
  })
    .option('--accept', 'take what is offered in place of what is held')
    .action(
      host.run(async (context, given: string, { accept = false }: { accept?: boolean }) => {
        const client = context.client();
        const { id, url } = await findRepository(client, given);
        await client.repositories.refresh(id, { accept });
        context.terminal.out(`repository/${url} refresh asked for`);
      }),
    );
}

async function add(context: Context, url: string, options: AddOptions): Promise<void> {
  const { terminal } = context;
  const client = context.client();
  const access = await accessOf(context, options);
  const ca = options.caFile && (await text(options.caFile));
  const progress = terminal.progress(`connecting to ${url} …`);
  const added = await client.repositories
    .add({
      url,
      ...access,
      ...(options.type && { kind: options.type }),
      ...(options.name && { name: options.name }),
      ...(ca && { ca }),
      ...(options.plainHttp && { plainHttp: true }),
      ...(options.passCredentials && { passCredentials: true }),
      ...(options.project && { project: options.project }),
      ...(options.write && { write: true }),
      skipCheck: options.skipCheck ?? false,
    })
    .finally(() => progress.stop());
  if (context.formatGiven)
    printOne(terminal, context.format, added, added.id, () => repositoryText(added, context.now()));
  else terminal.out(`repository/${added.url} added`);
}

/** Credentials, host keys and switches as the hub takes them. */
export async function accessOf(context: Context, options: AccessOptions) {
  const credentials = await credentialsOf(context, options);
  const knownHosts = options.knownHosts && (await text(options.knownHosts));
  return {
    ...(Object.keys(credentials).length > 0 && { credentials }),
    ...(knownHosts && { knownHosts }),
    insecure: options.insecure ?? false,
  };
}

async function credentialsOf(
  { terminal }: Context,
  options: AccessOptions,
): Promise<{ username?: string; password?: string; token?: string; sshPrivateKey?: string }> {
  const { username, sshPrivateKeyPath, passwordStdin, tokenStdin } = options;
  if (passwordStdin && tokenStdin) throw new UsageError('standard input holds either a password or a token');
  const stdin = passwordStdin || tokenStdin ? (await terminal.stdin()).replace(/\r?\n$/, '') : undefined;
  let password = passwordStdin ? stdin : options.password;
  const token = tokenStdin ? stdin : options.token;
  if (username !== undefined && password === undefined && token === undefined && terminal.interactive) {
    password = await terminal.ask(`Password of ${username}: `, { hidden: true });
  }
  const ways = [password, token, sshPrivateKeyPath].filter((each) => each !== undefined).length;
  if (ways > 1) throw new UsageError('a password, a token and an SSH key exclude each other');
  if (password !== undefined && username === undefined) throw new UsageError('--password needs --username');
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(token !== undefined && { token }),
    ...(sshPrivateKeyPath !== undefined && { sshPrivateKey: await text(sshPrivateKeyPath) }),
  };
}

async function text(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    const reason = thrown.code === 'ENOENT' ? 'no such file' : thrown.message;
    throw new MusterError('invalid', reason, { where: file });
  });
}

async function allRepositories(client: HubClient): Promise<RepositoryView[]> {
  return allItems((after) => client.repositories.list({ limit: 500, after }));
}

async function findRepository(client: HubClient, given: string): Promise<RepositoryView> {
  const plain = (url: string) =>
    url
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .toLowerCase();
  const all = await allRepositories(client);
  const found =
    all.find(({ id, url }) => id === given || url === given) ??
    all.find(({ url }) => plain(url) === plain(given));
  if (!found)
    throw new MusterError('not-found', `repository ${given} is not known`, { hint: 'muster repo list' });
  return found;
}

async function list(context: Context): Promise<void> {
  const items = await allRepositories(context.client());
  const now = context.now();
  printList(
    context.terminal,
    context.format,
    items,
    {
      name: ({ url }) => url,
      columns: [
        { title: 'URL', value: ({ url }) => url },
        { title: 'TYPE', value: ({ kind }) => kind },
        { title: 'NAME', value: ({ name }) => name, wide: true },
        { title: 'CREDENTIALS', value: ({ credentials }) => credentials },
        { title: 'PROJECT', value: ({ project }) => project, wide: true },
        {
          title: 'READ',
          value: ({ kind, lastFetchAt }) =>
            kind === 'credentials' ? '' : lastFetchAt ? `${age(lastFetchAt, now)} ago` : 'never',
        },
        { title: 'STATUS', value: statusOf },
        { title: 'ID', value: ({ id }) => id, wide: true },
      ],
    },
    'No repositories.',
  );
}

function statusOf({ kind, error, revisions }: RepositoryView): string {
  if (kind === 'credentials') return '';
  const why = error ?? revisions.find((one) => one.error)?.error;
  return why ? `failing: ${why}` : 'ok';
}

function repositoryText(repository: RepositoryView, now: number): string {
  const { url, id, kind, name, project, credentials, insecure, write, lastFetchAt, error, revisions } =
    repository;
  const read = lastFetchAt ? `${lastFetchAt} (${age(lastFetchAt, now)} ago)` : 'never';
  const head = fields([
    ['URL', url],
    ['Type', kind],
    ['Name', name],
    ['Id', id],
    ['Project', project],
    ['Credentials', credentials],
    ['Insecure', insecure ? 'yes' : undefined],
    ['Write', write ? 'promotions may push to it' : undefined],
    ['Last read', kind === 'credentials' ? undefined : read],
    ['Error', error],
  ]);
  const lines = revisions.map(({ revision, commit, message, author, error: why, offered }) => {
    const at = commit && (isPin(commit) ? commit : commit.slice(0, 10));
    const state = why ?? [at, message?.split('\n', 1)[0], author].filter(Boolean).join('  ');
    return fields([[revision || 'HEAD', offered ? `${state}\n    offered: ${offered}` : state]], '  ');
  });
  return lines.length > 0 ? `${head}\nRevisions:\n${lines.join('\n')}` : head;
}
