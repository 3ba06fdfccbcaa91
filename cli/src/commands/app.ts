import { stringify } from '@muster/base';
import type { Command } from 'commander';
import { type Context, group, type Host, verb } from '../host.ts';
import { formatName, parseName } from '../names.ts';
import { age, inUsualOrder, printList, printOne } from '../output.ts';
import { waitForCommand } from '../wait.ts';
import { appActCommands } from './app-act.ts';
import { appObjectActs } from './app-object-acts.ts';
import { appObjectCommands } from './app-objects.ts';
import { appPinCommands } from './app-pins.ts';
import { type Filters, listApplications, withFilters } from './app-select.ts';
import {
  applicationText,
  applicationView,
  type ResourceRow,
  resourcesText,
  shortCommit,
} from './app-view.ts';
import { unclaimedActs } from './unclaimed.ts';
import { appWindowsCommand } from './windows.ts';

export function appCommands(root: Command, host: Host): void {
  const app = group(root, 'app', 'Applications: see, sync, compare, wait', ['apps', 'application']);
  withFilters(
    verb(app, 'list', {
      summary: 'List Applications',
      examples: [
        'muster app list',
        'muster app list --cluster prod-eu-1 --health Degraded',
        'muster app list -o wide',
      ],
      output: true,
    }),
  ).action(
    host.run(async (context, options: Filters) => {
      const items = await listApplications(context, options);
      printList(context.terminal, context.format, items, applicationView(context.now()), 'No Applications.');
    }),
  );
  verb(app, 'get <name>', {
    summary: 'Show an Application with its resources and what drifted',
    examples: ['muster app get guestbook-dev', 'muster app get argocd/guestbook-dev --refresh -o json'],
    output: true,
  })
    .option('--refresh', 'have the cluster compare again first')
    .action(host.run(get));
  appReadCommands(app, host);
  appWindowsCommand(app, host);
  appObjectCommands(app, host);
  appPinCommands(app, host);
  appActCommands(app, host);
  appObjectActs(app, host);
  unclaimedActs(app, host);
}

async function get(context: Context, given: string, options: { refresh?: true }): Promise<void> {
  const { terminal, format } = context;
  const client = context.client();
  const { namespace, name } = parseName(given);
  if (options.refresh) {
    const { command } = await client.applications.refresh(namespace, name);
    if (command) await waitForCommand(context, client, command, 60, `comparing ${name}`);
  }
  const [detail, answer, why] = await Promise.all([
    client.applications.get(namespace, name),
    client.applications.resources(namespace, name),
    // What is shown is worth seeing without it.
    client.why(namespace, name).catch(() => undefined),
  ]);
  const resources = answer.resources as unknown as ResourceRow[];
  printOne(terminal, format, { ...detail, resources }, formatName(detail), () =>
    applicationText(detail, resources, { now: context.now(), colour: terminal.colour, why }),
  );
}

function appReadCommands(app: Command, host: Host): void {
  verb(app, 'history <name>', {
    summary: 'Show the releases of an Application and when they reached its cluster',
    examples: ['muster app history guestbook-dev'],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const { namespace, name } = parseName(given);
      const history = await context.client().applications.history(namespace, name);
      const { terminal, format } = context;
      if (format === 'json' || format === 'yaml') return printOne(terminal, format, history, given, () => '');
      const now = context.now();
      printList(terminal, format, history.releases, {
        name: ({ id }) => id,
        columns: [
          { title: 'RELEASE', value: ({ number }) => number },
          { title: 'AGE', value: ({ at }) => age(at, now) },
          { title: 'CAUSE', value: ({ cause }) => cause },
          {
            title: 'COMMIT',
            value: ({ commit, commits }) => (commits ?? [commit]).map(shortCommit).join(','),
          },
          { title: 'AUTHOR', value: ({ author }) => author },
          {
            title: 'APPLIED',
            value: (each) => {
              const reached = history.deployments.find(({ release }) => release === each.id);
              return reached ? `${age(reached.appliedAt, now)} ago` : undefined;
            },
          },
          {
            title: 'MESSAGE',
            value: ({ message, removed }) => (removed ? `removed (${removed})` : message?.split('\n', 1)[0]),
          },
        ],
      });
    }),
  );
  verb(app, 'resources <name>', {
    summary: 'List the objects of an Application, with what drifted',
    examples: ['muster app resources guestbook-dev'],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const { namespace, name } = parseName(given);
      const { terminal, format } = context;
      const answer = await context.client().applications.resources(namespace, name);
      const resources = answer.resources as unknown as ResourceRow[];
      if (format === 'table' || format === 'wide') {
        if (resources.length === 0) return terminal.note('The cluster has reported none yet.');
        return terminal.out(resourcesText(resources, { now: context.now(), colour: terminal.colour }));
      }
      printList(terminal, format, resources, {
        name: (each) => `${each.kind}/${each.name}`,
        columns: [],
      });
    }),
  );
  verb(app, 'manifests <name>', {
    summary: 'Print the manifests that are assigned, secrets masked',
    examples: ['muster app manifests guestbook-dev', 'muster app manifests guestbook-dev -o json'],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const { namespace, name } = parseName(given);
      const { objects } = await context.client().applications.manifests(namespace, name);
      if (context.format === 'json') return context.terminal.out(JSON.stringify(objects, null, 2));
      for (const object of objects) context.terminal.out(`---\n${stringify(inUsualOrder(object)).trimEnd()}`);
    }),
  );
}
