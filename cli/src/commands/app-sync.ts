import type { ApplicationView } from '@muster/api';
import type { HubClient } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { type Context, type Host, verb } from '../host.ts';
import { inTurn } from '../in-turn.ts';
import { formatName, parseDuration, parseName } from '../names.ts';
import { progressLine } from '../operation-text.ts';
import { ordersTo } from '../orders.ts';
import {
  type Goal,
  keyedByName,
  type ReadApplications,
  waitForApplications,
  waitForCommand,
} from '../wait.ts';
import { resolveSelectors } from './app-objects.ts';
import { listApplications, type Selection, selectNames, withSelection } from './app-select.ts';

interface SyncOptions extends Selection {
  prune?: true;
  dryRun?: true;
  resource?: string[];
  replace?: true;
  force?: true;
  revision?: string;
  reason?: string;
  wait?: boolean;
  timeout: number;
}

interface WaitOptions extends Selection, Goal {
  delete?: true;
  timeout: number;
}

/** `muster app sync` and `muster app wait`. */
export function appSyncCommands(app: Command, host: Host): void {
  withSelection(
    verb(app, 'sync [names...]', {
      summary: 'Apply what is assigned now',
      details:
        'Asks the clusters to apply what is assigned. With --wait it ends when they have; whether it became healthy is for `muster app wait`. A dry run is always waited for: its answer is what would be done.',
      examples: [
        'muster app sync guestbook-dev --wait',
        'muster app sync --set guestbook --prune',
        'muster app sync guestbook-dev --dry-run',
        'muster app sync guestbook-dev --resource Deployment/web --resource ":ConfigMap:settings-*"',
      ],
      output: true,
    }),
  )
    .option('--prune', 'also delete what is no longer in Git')
    .option('--dry-run', 'only have the API server check it, and say what would be done')
    .option(
      '--resource <selector...>',
      'only these: KIND/NAME or GROUP:KIND:[NAMESPACE/]NAME, there with globs and ! to exclude; no hooks run',
    )
    .option('--replace', 'put whole objects in the place of what is there')
    .option('--force', 'delete and make anew what cannot be changed')
    .option('--revision <commit>', 'refuse when another commit is assigned')
    .option('--reason <text>', 'for the audit log')
    .option('-w, --wait', 'until the clusters have answered')
    .option('--no-wait', 'do not wait for the answer to a dry run')
    .option('--timeout <duration>', 'how long to wait', parseDuration, 600)
    .action(host.run(sync));

  withSelection(
    verb(app, 'wait [names...]', {
      summary: 'Wait until Applications are as they should be',
      details: 'Without --sync, --health, --revision or --delete: until they are Synced and Healthy.',
      examples: [
        'muster app wait guestbook-dev guestbook-prod',
        'muster app wait --set guestbook --revision "$(git rev-parse HEAD)" --timeout 5m',
        'muster app wait guestbook-dev --delete',
      ],
    }),
  )
    .option('--sync', 'until Synced')
    .option('--health', 'until Healthy')
    .option(
      '--revision <commit>',
      'until this commit or a later one is assigned (or known to change nothing of it), Synced and Healthy',
    )
    .option('--delete', 'until they are gone')
    .option('--timeout <duration>', 'give up after so long', parseDuration, 600)
    .action(host.run(wait));
}

async function sync(context: Context, names: string[], options: SyncOptions): Promise<number> {
  const { prune, dryRun, replace, force, revision, reason, timeout, project, cluster, set, label, all } =
    options;
  const { terminal } = context;
  const client = context.client();
  const selected = await selectNames(context, names, { project, cluster, set, label, all });
  const orders = ordersTo(context);
  // Nobody asks what would be done without wanting to know.
  const waits = options.wait ?? dryRun ?? false;
  let failed = 0;
  const each = async ({ namespace, name }: { namespace: string; name: string }) => {
    const application = `${namespace}/${name}`;
    const shown = `application/${application}`;
    try {
      const body = {
        prune,
        dryRun: dryRun ?? false,
        resources: await resolveSelectors(client, { namespace, name }, options.resource),
        replace,
        force,
        revision,
        reason,
      };
      const started = await client.applications.sync(namespace, name, body);
      const order = { application, ...started };
      const { command } = started;
      orders.given(order);
      if (!waits) {
        const what = dryRun ? 'dry run' : 'sync';
        return orders.told(order, `${shown} ${what} asked for (command ${command})`);
      }
      const { message, outcome } = await waitForCommand(
        context,
        client,
        command,
        timeout,
        `${dryRun ? 'dry run' : 'sync'} of ${application}`,
        () => doing(client, { namespace, name }),
      );
      const said = message ? `: ${message}` : '';
      orders.told({ ...order, outcome, message }, `${shown} ${dryRun ? 'checked' : 'synced'}${said}`);
    } catch (thrown) {
      context.signal.throwIfAborted();
      failed++;
      terminal.note(`error: ${shown}: ${MusterError.from(thrown).describe()}`);
    }
  };
  await inTurn(selected, 16, each);
  orders.end();
  return failed > 0 ? EXIT.failed : EXIT.ok;
}

/** How far the operation of an Application is; '' where that cannot be told. */
async function doing(
  client: HubClient,
  { namespace, name }: { namespace: string; name: string },
): Promise<string> {
  const { operation } = await client.applications
    .get(namespace, name)
    .catch(() => ({ operation: undefined }));
  return operation?.phase === 'Running' ? progressLine(operation) : '';
}

async function wait(context: Context, names: string[], options: WaitOptions): Promise<void> {
  const { sync, health, revision, project, cluster, set, label, all, timeout } = options;
  const client = context.client();
  const goal: Goal = options.delete
    ? { gone: true }
    : sync || health
      ? { sync, health, revision }
      : { sync: true, health: true, revision };
  const wanted = names.map(parseName);
  // A wrong command line is told at once, not after the first look.
  if (wanted.length === 0) await selectNames(context, names, { project, cluster, set, label, all });
  const read: ReadApplications =
    wanted.length > 0
      ? () => readNamed(client, wanted)
      : async () => keyedByName(await listApplications(context, { project, cluster, set, label }));
  const last = await waitForApplications(context, client, read, goal, timeout);
  for (const [name, { app, revision: reached }] of last) {
    const at = reached ? ` (${reached.message})` : '';
    context.terminal.out(
      app ? `application/${name} ${app.sync} ${app.health}${at}` : `application/${name} gone`,
    );
  }
}

async function readNamed(
  client: HubClient,
  names: { namespace: string; name: string }[],
): Promise<Map<string, ApplicationView | undefined>> {
  const apps = new Map<string, ApplicationView | undefined>();
  await inTurn(names, 8, async (each) => {
    const app = await client.applications.get(each.namespace, each.name).catch((thrown: unknown) => {
      if (MusterError.from(thrown).code === 'not-found') return undefined;
      throw thrown;
    });
    apps.set(formatName(each), app);
  });
  return apps;
}
