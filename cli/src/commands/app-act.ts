import type { CommandStarted } from '@muster/api';
import type { HubClient } from '@muster/api/client';
import type { Command } from 'commander';
import { type Context, type Host, verb } from '../host.ts';
import { parseDuration, parseName } from '../names.ts';
import { printOne } from '../output.ts';
import { ordersTo } from '../orders.ts';
import { waitForCommand } from '../wait.ts';
import { appDriftCommands } from './app-drift.ts';
import { resolveSelectors } from './app-objects.ts';
import { appSyncCommands } from './app-sync.ts';

export function appActCommands(app: Command, host: Host): void {
  appSyncCommands(app, host);
  appDriftCommands(app, host);
  removalCommands(app, host);
  simpleActs(app, host);
}

function removalCommands(app: Command, host: Host): void {
  verb(app, 'delete <names...>', {
    summary: 'Delete Applications',
    details:
      'Without --cascade or --no-cascade the resources finalizer of the Application decides, as in Argo CD.',
    examples: [
      'muster app delete guestbook-dev',
      'muster app delete guestbook-dev --no-cascade   # keep the objects',
    ],
    output: true,
  })
    .option('--cascade', 'delete its objects from the cluster as well')
    .option('--no-cascade', 'leave its objects where they are')
    .action(
      host.run((context, names: string[], { cascade }: { cascade?: boolean }) =>
        forEach(
          context,
          names,
          (client, ns, name) => client.applications.remove(ns, name, { cascade }),
          'deleted',
        ),
      ),
    );
  verb(app, 'approve-deletions <name>', {
    summary: 'Let the children go whose removal an app of apps holds back',
    details:
      'They are listed by `muster app resources NAME`. Needs the role approver in the projects of the children too.',
    examples: ['muster app approve-deletions fleet --reason "moved to another root"'],
    output: true,
  })
    .option('--reason <text>', 'for the audit log')
    .action(
      host.run(async (context, given: string, { reason }: { reason?: string }) => {
        const { namespace, name } = parseName(given);
        const { approved } = await context
          .client()
          .applications.approveDeletions(namespace, name, { reason });
        const application = `${namespace}/${name}`;
        printOne(
          context.terminal,
          context.format,
          { application, approved },
          application,
          () => `application/${application} ${approved} deletions approved`,
        );
      }),
    );
  verb(app, 'restore <names...>', {
    summary: 'Undo a removal: keep what is leaving, or apply the last release again',
    examples: ['muster app restore guestbook-dev'],
    output: true,
  }).action(
    host.run((context, names: string[]) =>
      forEach(context, names, (client, ns, name) => client.applications.restore(ns, name), 'restored'),
    ),
  );
}

function simpleActs(app: Command, host: Host): void {
  verb(app, 'refresh <names...>', {
    summary: 'Read the source again and have the cluster compare',
    examples: ['muster app refresh guestbook-dev'],
    output: true,
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
    details:
      'A sync with its hooks, or a removal: then nothing more is deleted until `muster app confirm`, and where only PostDelete hooks are left the Application goes without them.',
    examples: ['muster app terminate guestbook-dev'],
    output: true,
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
      'Objects that would be pruned and hold data, say Prune=confirm, or are more than half of the Application; and a removal that waits for Delete=confirm or was terminated. `muster app get` shows them as kept, with the reason.',
    examples: [
      'muster app confirm guestbook-dev',
      'muster app confirm guestbook-dev --resource :PersistentVolumeClaim:data --reason "moved to the new volume"',
    ],
    output: true,
  })
    .option(
      '--resource <selector...>',
      'only these: KIND/NAME or GROUP:KIND:[NAMESPACE/]NAME, there with globs and ! to exclude',
    )
    .option('--reason <text>', 'for the audit log')
    .option('-w, --wait', 'until the cluster has answered')
    .option('--timeout <duration>', 'how long --wait waits', parseDuration, 600)
    .action(host.run(confirm));
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
  const { reason, timeout } = options;
  const resources = await resolveSelectors(client, { namespace, name }, options.resource);
  const started = await client.applications.confirm(namespace, name, { resources, reason });
  const { command } = started;
  const application = `${namespace}/${name}`;
  const order = { application, ...started };
  const orders = ordersTo(context);
  orders.given(order);
  if (options.wait) {
    const what = `confirmation for ${application}`;
    const { message, outcome } = await waitForCommand(context, client, command, timeout, what);
    orders.told({ ...order, outcome, message }, `application/${application} confirmed: ${message}`);
  } else orders.told(order, `application/${application} confirmed (command ${command})`);
  orders.end();
}

async function forEach(
  context: Context,
  names: string[],
  act: (client: HubClient, namespace: string, name: string) => Promise<Partial<CommandStarted> | void>,
  done: string,
): Promise<void> {
  const client = context.client();
  const orders = ordersTo(context);
  for (const { namespace, name } of names.map(parseName)) {
    const order = { application: `${namespace}/${name}`, ...(await act(client, namespace, name)) };
    orders.given(order);
    orders.told(order, `application/${namespace}/${name} ${done}`);
  }
  orders.end();
}
