import type { ApplicationView, ListApplications } from '@muster/api';
import type { HubClient } from '@muster/api/client';
import { MusterError, stringify } from '@muster/base';
import type { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { type Context, type Host, verb } from '../host.ts';
import { formatName, parseDuration, parseName } from '../names.ts';
import { age, printList, printOne } from '../output.ts';
import {
  type Goal,
  keyedByName,
  type ReadApplications,
  waitForApplications,
  waitForCommand,
} from '../wait.ts';
import { fieldText, type FieldRow, resourceName, type ResourceRow } from './app-view.ts';
import { listApplications, selectNames } from './app-select.ts';

interface Selection extends Partial<Pick<ListApplications, 'project' | 'cluster' | 'set' | 'label'>> {
  all?: true;
}

interface SyncOptions extends Selection {
  prune?: true;
  dryRun?: true;
  resource?: string[];
  replace?: true;
  force?: true;
  revision?: string;
  reason?: string;
  wait?: true;
  timeout: number;
}

interface WaitOptions extends Selection, Goal {
  delete?: true;
  timeout: number;
}

export function appActCommands(app: Command, host: Host): void {
  withSelection(
    verb(app, 'sync [names...]', {
      summary: 'Apply what is assigned now',
      details:
        'Asks the clusters to apply what is assigned. With --wait it ends when they have; whether it became healthy is for `muster app wait`.',
      examples: [
        'muster app sync guestbook-dev --wait',
        'muster app sync --set guestbook --prune',
        'muster app sync guestbook-dev --dry-run --wait',
        'muster app sync guestbook-dev --resource apps:Deployment:web --resource :ConfigMap:settings',
      ],
    }),
  )
    .option('--prune', 'also delete what is no longer in Git')
    .option('--dry-run', 'only have the API server check it')
    .option(
      '--resource <selector...>',
      'only these: GROUP:KIND:[NAMESPACE/]NAME, globs, ! excludes; no hooks run',
    )
    .option('--replace', 'put whole objects in the place of what is there')
    .option('--force', 'delete and make anew what cannot be changed')
    .option('--revision <commit>', 'refuse when another commit is assigned')
    .option('--reason <text>', 'for the audit log')
    .option('-w, --wait', 'until the clusters have answered')
    .option('--timeout <duration>', 'how long --wait waits', parseDuration, 600)
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
    .option('--revision <commit>', 'until this commit is assigned, Synced and Healthy')
    .option('--delete', 'until they are gone')
    .option('--timeout <duration>', 'give up after so long', parseDuration, 600)
    .action(host.run(wait));

  verb(app, 'diff <name>', {
    summary: 'Show what differs between Git and the cluster, field by field',
    details: `Asks the cluster to compare now. Exit code ${EXIT.ok}: nothing differs, ${EXIT.changes}: something does, ${EXIT.failed}: it could not be told.`,
    examples: ['muster app diff guestbook-dev'],
    output: true,
  }).action(host.run(diff));

  verb(app, 'delete <names...>', {
    summary: 'Delete Applications',
    details:
      'Without --cascade or --no-cascade the resources finalizer of the Application decides, as in Argo CD.',
    examples: [
      'muster app delete guestbook-dev',
      'muster app delete guestbook-dev --no-cascade   # keep the objects',
    ],
  })
    .option('--cascade', 'delete its objects from the cluster as well')
    .option('--no-cascade', 'leave its objects where they are')
    .action(
      host.run(async (context, names: string[], { cascade }: { cascade?: boolean }) => {
        const client = context.client();
        for (const { namespace, name } of names.map(parseName)) {
          await client.applications.remove(namespace, name, { cascade });
          context.terminal.out(`application/${namespace}/${name} deleted`);
        }
      }),
    );
  simpleActs(app, host);
}

function simpleActs(app: Command, host: Host): void {
  driftCommand(app, host);
  verb(app, 'refresh <names...>', {
    summary: 'Read the source again and have the cluster compare',
    examples: ['muster app refresh guestbook-dev'],
  }).action(
    host.run((context, names: string[]) =>
      forEach(
        context,
        names,
        (client, ns, name) => client.applications.refresh(ns, name),
        'refresh asked for',
      ),
    ),
  );
  verb(app, 'terminate <names...>', {
    summary: 'End the operation that is running',
    examples: ['muster app terminate guestbook-dev'],
  }).action(
    host.run((context, names: string[]) =>
      forEach(
        context,
        names,
        (client, ns, name) => client.applications.terminate(ns, name),
        'termination asked for',
      ),
    ),
  );
  verb(app, 'confirm <name>', {
    summary: 'Let go what a guard keeps until someone confirms',
    details:
      'Objects that would be pruned and hold data, say Prune=confirm, or are more than half of the Application; and a removal that waits for Delete=confirm. `muster app get` shows them as kept, with the reason.',
    examples: [
      'muster app confirm guestbook-dev',
      'muster app confirm guestbook-dev --resource :PersistentVolumeClaim:data --reason "moved to the new volume"',
    ],
  })
    .option('--resource <selector...>', 'only these: GROUP:KIND:[NAMESPACE/]NAME, globs, ! excludes')
    .option('--reason <text>', 'for the audit log')
    .option('-w, --wait', 'until the cluster has answered')
    .option('--timeout <duration>', 'how long --wait waits', parseDuration, 600)
    .action(host.run(confirm));
  verb(app, 'approve-deletions <name>', {
    summary: 'Let the children go whose removal an app of apps holds back',
    details:
      'They are listed by `muster app resources NAME`. Needs the role approver in the projects of the children too.',
    examples: ['muster app approve-deletions fleet --reason "moved to another root"'],
  })
    .option('--reason <text>', 'for the audit log')
    .action(
      host.run(async (context, given: string, { reason }: { reason?: string }) => {
        const { namespace, name } = parseName(given);
        const { approved } = await context
          .client()
          .applications.approveDeletions(namespace, name, { reason });
        context.terminal.out(`application/${namespace}/${name} ${approved} deletions approved`);
      }),
    );
  verb(app, 'restore <names...>', {
    summary: 'Undo a removal: keep what is leaving, or apply the last release again',
    examples: ['muster app restore guestbook-dev'],
  }).action(
    host.run((context, names: string[]) =>
      forEach(context, names, (client, ns, name) => client.applications.restore(ns, name), 'restored'),
    ),
  );
}

interface ConfirmOptions {
  resource?: string[];
  reason?: string;
  wait?: true;
  timeout: number;
}

async function confirm(context: Context, given: string, options: ConfirmOptions): Promise<void> {
  const { namespace, name } = parseName(given);
  const client = context.client();
  const { resource: resources, reason, timeout } = options;
  const { command } = await client.applications.confirm(namespace, name, { resources, reason });
  const shown = `application/${namespace}/${name}`;
  if (!options.wait) return context.terminal.out(`${shown} confirmed (command ${command})`);
  const what = `confirmation for ${namespace}/${name}`;
  const { message } = await waitForCommand(context, client, command, timeout, what);
  context.terminal.out(`${shown} confirmed: ${message}`);
}

interface DriftOptions {
  resource?: string;
  field?: string;
  reason?: string;
  list?: true;
  forget?: true;
}

function driftCommand(app: Command, host: Host): void {
  verb(app, 'accept-drift <name>', {
    summary: 'Accept what differs: from then on it is no drift and is not put back',
    details:
      'Writes a rule of ignoreDifferences for each field that the cluster reported as different, and prints it to be put into Git. Objects that are gone, and releases that wait for their sync, are no drift that can be accepted.',
    examples: [
      'muster app accept-drift web-prod',
      'muster app accept-drift web-prod --resource apps/Deployment/shop/web --field spec.replicas --reason "scaled by hand for the sale"',
      'muster app accept-drift web-prod --list',
      'muster app accept-drift web-prod --forget --field spec.replicas',
    ],
    output: true,
  })
    .option('--resource <key>', 'only this object: group/Kind/namespace/name')
    .option('--field <path>', 'only this field, as `muster app get` shows it')
    .option('--reason <text>', 'for the audit log')
    .option('--list', 'show what was accepted')
    .option('--forget', 'undo: what was accepted is drift again')
    .action(host.run(acceptDrift));
}

async function acceptDrift(
  context: Context,
  full: string,
  { list, forget, ...which }: DriftOptions,
): Promise<void> {
  const { terminal, format } = context;
  const { namespace, name } = parseName(full);
  const { applications } = context.client();
  if (forget) {
    await applications.forgetDrift(namespace, name, { resource: which.resource, field: which.field });
    terminal.out(`application/${namespace}/${name}: forgotten, it is drift again`);
    return;
  }
  const { items } = list
    ? await applications.acceptedDrift(namespace, name)
    : await applications.acceptDrift(namespace, name, which);
  printList(
    terminal,
    format,
    items,
    {
      name: ({ resource, field }) => `${resource} ${field}`,
      columns: [
        { title: 'RESOURCE', value: ({ resource }) => resource },
        { title: 'FIELD', value: ({ field }) => field },
        { title: 'BY', value: ({ acceptedBy }) => acceptedBy },
        { title: 'SINCE', value: ({ acceptedAt }) => `${age(acceptedAt, context.now())} ago` },
        { title: 'REASON', value: ({ reason }) => reason, wide: true },
      ],
    },
    'Nothing was accepted.',
  );
  if (!list && (format === 'table' || format === 'wide')) {
    const rules = stringify({ ignoreDifferences: items.map(({ rule }) => rule) }).trimEnd();
    terminal.note(`To keep it in Git as well, in the spec of the Application:\n${rules}`);
  }
}

async function forEach(
  context: Context,
  names: string[],
  act: (client: HubClient, namespace: string, name: string) => Promise<unknown>,
  done: string,
): Promise<void> {
  const client = context.client();
  for (const { namespace, name } of names.map(parseName)) {
    await act(client, namespace, name);
    context.terminal.out(`application/${namespace}/${name} ${done}`);
  }
}

function withSelection(command: Command): Command {
  return command
    .option('-p, --project <name>', 'all of this project')
    .option('-c, --cluster <name>', 'all on this cluster')
    .option('--set <name>', 'all of this ApplicationSet')
    .option('-l, --label <selector>', 'all with these labels')
    .option('--all', 'all that you may see');
}

async function sync(context: Context, names: string[], options: SyncOptions): Promise<number> {
  const { prune, dryRun, replace, force, revision, reason, timeout, project, cluster, set, label, all } =
    options;
  const { terminal } = context;
  const client = context.client();
  const selected = await selectNames(context, names, { project, cluster, set, label, all });
  let failed = 0;
  const each = async ({ namespace, name }: { namespace: string; name: string }) => {
    const shown = `application/${namespace}/${name}`;
    try {
      const body = {
        prune,
        dryRun: dryRun ?? false,
        resources: options.resource,
        replace,
        force,
        revision,
        reason,
      };
      const { command } = await client.applications.sync(namespace, name, body);
      if (!options.wait) return terminal.out(`${shown} sync asked for (command ${command})`);
      const { message } = await waitForCommand(
        context,
        client,
        command,
        timeout,
        `sync of ${namespace}/${name}`,
      );
      terminal.out(`${shown} ${dryRun ? 'checked' : 'synced'}${message ? `: ${message}` : ''}`);
    } catch (thrown) {
      context.signal.throwIfAborted();
      failed++;
      terminal.note(`error: ${shown}: ${MusterError.from(thrown).describe()}`);
    }
  };
  await inTurn(selected, 16, each);
  return failed > 0 ? EXIT.failed : EXIT.ok;
}

/** At most `width` at once. */
async function inTurn<T>(items: T[], width: number, act: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
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
  await waitForApplications(context, client, read, goal, timeout);
  const last = await read();
  for (const [name, app] of last) {
    context.terminal.out(app ? `application/${name} ${app.sync} ${app.health}` : `application/${name} gone`);
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

type DiffRow = ResourceRow & { state?: string; fields?: FieldRow[]; manager?: string };

async function diff(context: Context, given: string): Promise<number> {
  const { terminal, format } = context;
  const { namespace, name } = parseName(given);
  const progress = terminal.progress(`asking the cluster of ${name} to compare …`);
  const answer = await context
    .client()
    .applications.diff(namespace, name)
    .finally(() => progress.stop());
  if (answer.outcome !== 'succeeded') {
    throw new MusterError(
      'precondition',
      `the cluster could not compare: ${answer.outcome}: ${answer.message}`,
    );
  }
  const resources = answer.resources as unknown as DiffRow[];
  printOne(terminal, format, answer, given, () => resources.map(diffText).join('\n') || 'Nothing differs.');
  return resources.length > 0 ? EXIT.changes : EXIT.ok;
}

const STATES: Record<string, string> = {
  missing: 'is missing in the cluster',
  extra: 'is no longer in Git, to be pruned',
};

function diffText(row: DiffRow): string {
  const state =
    STATES[row.state ?? ''] ?? (row.state === 'unknown' ? `cannot be told: ${row.message ?? ''}` : '');
  const by = row.manager ? ` (written by ${row.manager})` : '';
  const head = `${resourceName(row)}${state ? ` ${state}` : ''}${by}`;
  return [head, ...(row.fields ?? row.drift?.fields ?? []).map((field) => `  ${fieldText(field)}`)].join(
    '\n',
  );
}
