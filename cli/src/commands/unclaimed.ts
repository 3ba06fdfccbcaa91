import type { UnclaimedAct } from '@muster/api';
import { allItems } from '@muster/api/client';
import type { Command } from 'commander';
import { type Context, group, type Host, verb } from '../host.ts';
import { parseName } from '../names.ts';
import { age, printList } from '../output.ts';

const ACTS: Record<UnclaimedAct, { summary: string; done: string }> = {
  adopt: { summary: 'Take up what a cluster holds and the hub does not know', done: 'adopted' },
  orphan: {
    summary: 'Have a cluster let go of what the hub does not know, keeping its objects',
    done: 'orphaned',
  },
  uninstall: { summary: 'Have a cluster delete what the hub does not know', done: 'uninstalled' },
};

/** `app adopt|orphan|uninstall`: for what is unclaimed. */
export function unclaimedActs(app: Command, host: Host): void {
  for (const [act, { summary, done }] of Object.entries(ACTS) as [
    UnclaimedAct,
    (typeof ACTS)[UnclaimedAct],
  ][]) {
    verb(app, `${act} <name>`, {
      summary,
      examples: [`muster app ${act} guestbook --cluster prod-eu-1`],
    })
      .requiredOption('-c, --cluster <name>', 'the cluster that holds it (muster unclaimed list)')
      .option('--reason <text>', 'for the audit log')
      .action(
        host.run(async (context, given: string, options: { cluster: string; reason?: string }) => {
          const { cluster, reason } = options;
          const { namespace, name } = parseName(given);
          await context.client().unclaimed.act(cluster, namespace, name, act, { reason });
          context.terminal.out(`application/${namespace}/${name} on ${cluster} ${done}`);
        }),
      );
  }
}

export function unclaimedCommands(root: Command, host: Host): void {
  const unclaimed = group(root, 'unclaimed', 'What clusters hold and the hub does not know');
  verb(unclaimed, 'list', {
    summary: 'List it',
    examples: ['muster unclaimed list', 'muster unclaimed list --cluster prod-eu-1'],
    output: true,
  })
    .option('-c, --cluster <name>', 'on this cluster')
    .action(host.run(list));
}

async function list(context: Context, { cluster }: { cluster?: string }): Promise<void> {
  const client = context.client();
  const items = await allItems((after) => client.unclaimed.list({ cluster, limit: 500, after }));
  printList(
    context.terminal,
    context.format,
    items,
    {
      name: ({ namespace, name }) => `${namespace}/${name}`,
      columns: [
        { title: 'CLUSTER', value: (each) => each.cluster },
        { title: 'NAME', value: ({ namespace, name }) => `${namespace}/${name}` },
        { title: 'VERSION', value: ({ version }) => `${version.epoch}.${version.generation}` },
        { title: 'SEEN', value: ({ seenAt }) => `${age(seenAt, context.now())} ago` },
        { title: 'CAN ADOPT', value: ({ known }) => (known ? 'yes' : 'apply it first') },
      ],
    },
    'Nothing is unclaimed.',
  );
}
