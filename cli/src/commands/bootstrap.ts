import type { ApplicationDetail, ApplicationView } from '@muster/api';
import type { HubClient } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { type Context, type Host, verb } from '../host.ts';
import { formatName, parseDuration, parseName } from '../names.ts';
import { printOne } from '../output.ts';
import { keyedByName, waitForApplications } from '../wait.ts';
import { applicationText, type ResourceRow } from './app-view.ts';
import { type AccessOptions, accessOf } from './repo.ts';

interface BootstrapOptions extends AccessOptions {
  repo: string;
  path: string;
  revision: string;
  name: string;
  project: string;
  recurse?: true;
  manual?: true;
  wait: boolean;
  timeout: number;
}

/** A repository that cannot be read is told after this long at the latest, whatever was known of it before. */
const PATIENCE_MS = 15_000;

export function bootstrapCommand(root: Command, host: Host): void {
  verb(root, 'bootstrap', {
    summary: 'Bring up a whole fleet from a folder in Git',
    details:
      'Makes one Application, the root, whose Applications, ApplicationSets and AppProjects in Git are applied to the hub, and waits until all of them are synced and healthy. Run again, it changes nothing. What the root may write is what you may: be an admin where the folder holds AppProjects. A private repository needs credentials here, or `muster repo add` before.',
    examples: [
      'muster bootstrap --repo https://git.example.com/fleet.git --path fleet/',
      'muster bootstrap --repo https://git.example.com/fleet.git --path fleet/ --revision v1.4 --no-wait',
      'muster bootstrap --repo https://git.example.com/fleet.git --username ci --password-stdin < password',
    ],
    output: true,
  })
    .requiredOption('--repo <url>', 'the Git repository')
    .option('--path <folder>', 'the folder that holds the fleet', '.')
    .option('--revision <revision>', 'branch, tag or commit', 'HEAD')
    .option('--name <name>', 'what the root is called', 'root')
    .option('-p, --project <name>', 'the project of the root', 'default')
    .option('-R, --recurse', 'the folder with its subfolders')
    .option('--manual', 'apply nothing until `muster app sync`')
    .option('--username <name>', 'user name for the repository')
    .option('--password-stdin', 'read the password from standard input')
    .option('--token-stdin', 'read the access token from standard input')
    .option('--ssh-private-key-path <file>', 'private key for ssh')
    .option('--known-hosts <file>', 'host keys to trust, as in a known_hosts file')
    .option('--insecure', 'check neither TLS certificates nor SSH host keys')
    .option('--no-wait', 'do not wait until everything is healthy')
    .option('--timeout <duration>', 'give up waiting after so long', parseDuration, 900)
    .action(host.run(bootstrap));
}

async function bootstrap(context: Context, options: BootstrapOptions): Promise<void> {
  const { terminal, format } = context;
  const client = context.client();
  const { namespace, name } = parseName(options.name);
  const shown = `application/${namespace}/${name}`;
  const started = context.now();
  const granted = await grantAccess(context, client, options);
  const before = await find(client, namespace, name);
  refuseOther(before, options, shown);
  // One that Git describes as well is what Git says: writing it would only be undone.
  const itself = before?.root === formatName({ namespace, name });
  const { results } = itself
    ? { results: [] }
    : await client.apply({ documents: [rootDocument(namespace, name, options)], dryRun: false });
  const result = results[0]?.result ?? 'unchanged';
  if (!context.formatGiven) terminal.out(`${shown} ${result}`);
  if (options.wait && !options.manual)
    await waitForFleet(context, client, { namespace, name, granted, started, timeout: options.timeout });
  const [found, { resources }] = await Promise.all([
    client.applications.get(namespace, name),
    client.applications.resources(namespace, name),
  ]);
  const text = () =>
    applicationText(found, resources as unknown as ResourceRow[], {
      now: context.now(),
      colour: terminal.colour,
    });
  if (context.formatGiven) printOne(terminal, format, found, formatName(found), text);
  else if (options.wait) terminal.out(`\n${text()}`);
}

/** The root as it is applied. It has no finalizer: deleting it leaves its children where they are. */
function rootDocument(
  namespace: string,
  name: string,
  { repo, path, revision, project, recurse, manual }: BootstrapOptions,
): Record<string, unknown> {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace },
    spec: {
      project,
      source: {
        repoURL: repo,
        path: folderOf(path),
        targetRevision: revision,
        ...(recurse ? { directory: { recurse: true } } : {}),
      },
      destination: { server: 'muster://hub', namespace },
      ...(manual ? {} : { syncPolicy: { automated: { prune: true, selfHeal: true } } }),
    },
  };
}

function folderOf(path: string): string {
  return path.replace(/^\.\//, '').replace(/\/+$/, '') || '.';
}

/** Registers the repository where credentials were given; answers whether they were. */
async function grantAccess(context: Context, client: HubClient, options: BootstrapOptions): Promise<boolean> {
  const access = await accessOf(context, options);
  if (!access.credentials && !access.knownHosts && !access.insecure) return false;
  const progress = context.terminal.progress(`connecting to ${options.repo} …`);
  await client.repositories
    .add({ url: options.repo, ...access, skipCheck: false })
    .finally(() => progress.stop());
  return true;
}

async function find(
  client: HubClient,
  namespace: string,
  name: string,
): Promise<ApplicationDetail | undefined> {
  return client.applications.get(namespace, name).catch((thrown: unknown) => {
    if (MusterError.from(thrown).code === 'not-found') return undefined;
    throw thrown;
  });
}

/** A name that something else has is not taken from it. */
function refuseOther(
  before: ApplicationDetail | undefined,
  { repo, path }: BootstrapOptions,
  shown: string,
): void {
  if (!before) return;
  const { source } = before;
  if (source.repoURL === repo && folderOf(source.path ?? '.') === folderOf(path)) return;
  throw new MusterError(
    'conflict',
    `${shown} is there already, from ${source.repoURL} ${source.path ?? ''}`.trim(),
    {
      hint: 'give another --name, or change it with `muster apply`',
    },
  );
}

interface Waiting {
  namespace: string;
  name: string;
  granted: boolean;
  started: number;
  /** Seconds. */
  timeout: number;
}

async function waitForFleet(context: Context, client: HubClient, waiting: Waiting): Promise<void> {
  const { namespace, name } = waiting;
  const told = new Set<string>();
  const read = async () => {
    const app = await client.applications.get(namespace, name);
    for (const { type, message } of unreadable(app, waiting, context.now())) {
      throw new MusterError('precondition', `${type}: ${message}`, {
        hint: 'a private repository needs --username and --password-stdin, --token-stdin or --ssh-private-key-path',
      });
    }
    for (const { type, message } of app.conditions) {
      if (type === 'SourceError' || told.has(message)) continue;
      told.add(message);
      context.terminal.note(`warning: ${type}: ${message}`);
    }
    return keyedByName([app]);
  };
  await waitForApplications(context, client, read, { sync: true, health: true }, waiting.timeout);
}

/** What says that the repository cannot be read, unless it is from before and about to be put right. */
function unreadable({ conditions }: ApplicationView, { granted, started }: Waiting, now: number) {
  return conditions.filter(
    ({ type, since }) =>
      type === 'SourceError' &&
      !granted &&
      (now - started > PATIENCE_MS || Date.parse(since ?? '') >= started),
  );
}
