import type { ResourceTree } from '@muster/api';
import type { HubClient } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { type Context, group, type Host, verb } from '../host.ts';
import { collectPair, countFrom, parseDuration, parseName } from '../names.ts';
import { printList } from '../output.ts';
import { ordersTo } from '../orders.ts';
import { OBJECT_FORMS, matching, objectKey, objectName, parseObjectName, theOne } from '../resource-names.ts';
import { waitForCommand } from '../wait.ts';

const ONE = '--resource may be left out where only one object of the Application knows the action.';

type Node = ResourceTree['nodes'][number];

interface ActOptions {
  resource?: string;
  reason?: string;
  wait: boolean;
  timeout: number;
}

/** Acts on single objects: restart, scale, delete, and actions of kinds. */
export function appObjectActs(app: Command, host: Host): void {
  workloadActs(app, host);
  rolloutActs(app, host);
  actionGroup(app, host);
}

function workloadActs(app: Command, host: Host): void {
  withAct(
    verb(app, 'restart <name>', {
      summary: 'Restart a Deployment, StatefulSet, DaemonSet or Rollout',
      details: `Its Pods are made anew, as by kubectl rollout restart; Git stays as it is. ${ONE}`,
      examples: [
        'muster app restart guestbook-dev --resource Deployment/web --reason "stuck connections"',
        'muster app restart guestbook-dev --resource Deployment/web --no-wait -o json',
      ],
      output: true,
    }),
  ).action(host.run((context, name: string, options: ActOptions) => act(context, name, 'restart', options)));
  withAct(
    verb(app, 'scale <name>', {
      summary: 'Set the replicas of a workload',
      details: `Refused where Git states the replicas and self-heal would put them back. ${ONE}`,
      examples: ['muster app scale guestbook-dev --resource Deployment/web --replicas 5'],
      output: true,
    }),
  )
    .requiredOption('--replicas <count>', 'how many', countFrom(0))
    .action(
      host.run((context, name: string, options: ActOptions & { replicas: number }) =>
        act(context, name, 'scale', options, { replicas: String(options.replicas) }),
      ),
    );
  withAct(
    verb(app, 'delete-resource <name>', {
      summary: 'Delete one object of an Application from its cluster',
      details:
        'What Git names is made again by self-heal or the next sync; a Pod by what owns it. The object that was looked at is deleted, and no other that took its name. What may hold data (claims, namespaces, definitions) needs --data and the role admin.',
      examples: [
        'muster app delete-resource guestbook-dev --resource Pod/web-7d9f-x2x',
        'muster app delete-resource guestbook-dev --resource Job/migrate --propagation Foreground',
      ],
      output: true,
    }),
    true,
  )
    .option('--propagation <policy>', 'Background, Foreground or Orphan')
    .option('--force', 'without a grace period')
    .option('--data', 'even if data may be lost with it')
    .action(
      host.run(
        (context, name: string, options: ActOptions & { propagation?: string; force?: true; data?: true }) =>
          act(context, name, 'delete', options, {
            ...(options.propagation && { propagation: options.propagation }),
            ...(options.force && { force: 'true' }),
            ...(options.data && { data: 'true' }),
          }),
      ),
    );
}

function rolloutActs(app: Command, host: Host): void {
  withAct(
    verb(app, 'promote <name>', {
      summary: 'Promote an Argo Rollouts Rollout: end its pause, or go on to its next step',
      details: `As kubectl argo rollouts promote. ${ONE}`,
      examples: ['muster app promote guestbook-prod', 'muster app promote guestbook-prod --full'],
      output: true,
    }),
  )
    .option('--full', 'skip analysis, pauses and all steps')
    .action(
      host.run((context, name: string, options: ActOptions & { full?: true }) =>
        act(context, name, options.full ? 'promote-full' : 'promote', options),
      ),
    );
  const others = {
    abort: 'Abort the update of a Rollout: back to its stable version',
    retry: 'Begin the aborted update of a Rollout anew',
    pause: 'Pause a Rollout or a Deployment',
    resume: 'End a pause of a Rollout, Deployment, CronJob or Job',
  };
  for (const [action, summary] of Object.entries(others)) {
    withAct(
      verb(app, `${action} <name>`, {
        summary,
        details: `${summary}. ${ONE}`,
        examples: [`muster app ${action} guestbook-prod`],
        output: true,
      }),
    ).action(host.run((context, name: string, options: ActOptions) => act(context, name, action, options)));
  }
}

function actionGroup(app: Command, host: Host): void {
  const actions = group(app, 'action', 'What can be done to single objects', ['actions']);
  verb(actions, 'list <name>', {
    summary: 'List what can be done to the objects of an Application',
    examples: [
      'muster app action list guestbook-dev',
      'muster app action list guestbook-dev --resource Rollout/web',
    ],
    output: true,
  })
    .option('--resource <name>', OBJECT_FORMS)
    .action(
      host.run(async (context, given: string, { resource }: { resource?: string }) => {
        const { namespace, name } = parseName(given);
        const { nodes } = await context.client().applications.tree(namespace, name);
        const shown = resource ? matching(parseObjectName(resource), nodes) : nodes;
        const rows = shown.flatMap((node) =>
          node.actions.map((action) => ({ resource: objectName(node), action })),
        );
        printList(context.terminal, context.format, rows, {
          name: ({ action }) => action,
          columns: [
            { title: 'RESOURCE', value: (row) => row.resource },
            { title: 'ACTION', value: (row) => row.action },
          ],
        });
      }),
    );
  withAct(
    verb(actions, 'run <name> <action>', {
      summary: 'Do something to one object',
      details: `Every action there is, with its parameters; \`muster app action list\` says which. ${ONE}`,
      examples: [
        'muster app action run guestbook-prod skip-step --resource Rollout/web',
        'muster app action run jobs trigger --resource CronJob/report',
        'muster app action run guestbook-dev scale --resource Deployment/web --param replicas=3',
      ],
      output: true,
    }),
  )
    .option('--param <key=value>', 'a parameter of the action; may be repeated', collectPair, {})
    .action(
      host.run(
        (context, name: string, action: string, options: ActOptions & { param: Record<string, string> }) =>
          act(context, name, action, options, options.param),
      ),
    );
}

function withAct(command: Command, required = false): Command {
  if (required) command.requiredOption('--resource <name>', OBJECT_FORMS);
  else command.option('--resource <name>', OBJECT_FORMS);
  return command
    .option('--reason <text>', 'for the audit log')
    .option('--no-wait', 'do not wait for the outcome')
    .option('--timeout <duration>', 'how long to wait for the outcome', parseDuration, 60);
}

async function act(
  context: Context,
  given: string,
  action: string,
  { resource, reason, wait, timeout }: ActOptions,
  parameters: Record<string, string> = {},
): Promise<void> {
  const { namespace, name } = parseName(given);
  const client = context.client();
  const node = await targetOf(client, namespace, name, action, resource);
  const shown = objectName(node);
  const started = await client.applications.act(namespace, name, {
    resource: objectKey(node),
    action,
    parameters,
    ...(node.uid && { uid: node.uid }),
    ...(reason && { reason }),
  });
  const { command } = started;
  const order = { application: `${namespace}/${name}`, resource: shown, action, ...started };
  const orders = ordersTo(context);
  orders.given(order);
  if (wait) {
    const what = `${action} of ${shown}`;
    const { message, outcome } = await waitForCommand(context, client, command, timeout, what);
    orders.told({ ...order, outcome, message }, message ?? `${shown}: done`);
  } else orders.told(order, `${shown} ${action} asked for (command ${command})`);
  orders.end();
}

/** The object that is meant, as it is now: what came under its name later is not. */
async function targetOf(
  client: HubClient,
  namespace: string,
  name: string,
  action: string,
  resource: string | undefined,
): Promise<Node> {
  const { nodes } = await client.applications.tree(namespace, name);
  if (resource) return theOne(resource, matching(parseObjectName(resource), nodes));
  const able = nodes.filter((node) => node.managed && node.uid !== '' && node.actions.includes(action));
  if (able.length === 1) return able[0]!;
  if (able.length === 0)
    throw new MusterError('not-found', `nothing of ${name} knows ${action}`, {
      hint: '`muster app action list` shows what does',
    });
  const names = able.slice(0, 5).map(objectName).join(', ');
  throw new MusterError('invalid', `which one? ${names}${able.length > 5 ? ', …' : ''}`, {
    where: '--resource',
  });
}
