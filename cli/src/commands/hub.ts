import type { AuditQuery, FleetSummary, KeysView, RecoveryView } from '@muster/api';
import { allItems } from '@muster/api/client';
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { parseDuration } from '../names.ts';
import { age, fields, printList, printOne } from '../output.ts';
import { VERSION } from '../version.ts';
import { unclaimedCommands } from './unclaimed.ts';

export function hubCommands(root: Command, host: Host): void {
  verb(root, 'status', {
    summary: 'Count clusters and Applications by their states',
    examples: ['muster status', 'muster status -o json'],
    output: true,
  }).action(
    host.run(async (context) => {
      const summary = await context.client().summary();
      printOne(context.terminal, context.format, summary, summary.at, () => summaryText(summary));
    }),
  );
  auditCommands(root, host);
  recoverCommands(root, host);
  unclaimedCommands(root, host);
  keysCommands(root, host);
  verb(root, 'version', {
    summary: 'Print the version of this command',
    examples: ['muster version'],
    output: true,
    offline: true,
  }).action(
    host.run(({ terminal, format }) =>
      printOne(terminal, format, { client: VERSION }, VERSION, () => `muster ${VERSION}`),
    ),
  );
}

function counts(by: Record<string, number>): string {
  return Object.entries(by)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function summaryText({ clusters, applications, recovering, unclaimed }: FleetSummary): string {
  const { connected, silent, never } = clusters;
  return fields([
    ['Clusters', `${clusters.total}: ${counts({ connected, silent, 'never seen': never })}`],
    ['States', counts(clusters.byState)],
    ['Applications', String(applications.total)],
    ['Sync', counts(applications.bySync)],
    ['Health', counts(applications.byHealth)],
    ['Recovering', recovering ? 'yes: muster recover status' : undefined],
    ['Unclaimed', unclaimed > 0 ? `${unclaimed}: muster unclaimed list` : undefined],
  ]);
}

interface AuditOptions extends Partial<Pick<AuditQuery, 'actor' | 'action' | 'object' | 'project'>> {
  since?: number;
  limit: number;
}

function auditCommands(root: Command, host: Host): void {
  const audit = group(root, 'audit', 'Who did what');
  verb(audit, 'list', {
    summary: 'List privileged acts, newest first',
    examples: [
      'muster audit list',
      'muster audit list --actor ana --since 7d',
      "muster audit list --action 'cluster.*'",
    ],
    output: true,
  })
    .option('--actor <name>', 'by this user, token or cluster')
    .option('--action <name>', 'cluster.approve, or cluster.* for a family')
    .option('--object <name>', 'on this object')
    .option('--project <name>', 'in this project')
    .option('--since <duration>', 'within so long', parseDuration)
    .option('--limit <n>', 'at most so many', Number, 100)
    .action(host.run(listAudit));
}

async function listAudit(context: Context, options: AuditOptions): Promise<void> {
  const { since, limit, ...query } = options;
  const now = context.now();
  const from = since === undefined ? undefined : new Date(now - since * 1000).toISOString();
  const client = context.client();
  const { actor, action, object, project } = query;
  const page = (after: string | undefined) =>
    client.audit({ actor, action, object, project, since: from, limit: Math.min(limit, 500), after });
  const items = await allItems(page, limit);
  printList(
    context.terminal,
    context.format,
    items,
    {
      name: ({ id }) => id,
      columns: [
        { title: 'AT', value: ({ at }) => at },
        { title: 'ACTOR', value: (each) => each.actor },
        { title: 'ACTION', value: (each) => each.action },
        { title: 'OBJECT', value: (each) => each.object },
        { title: 'REASON', value: ({ reason }) => reason },
        { title: 'PROJECT', value: (each) => each.project, wide: true },
        { title: 'FROM', value: ({ remoteAddress }) => remoteAddress, wide: true },
        { title: 'DETAILS', value: ({ details }) => JSON.stringify(details), wide: true },
      ],
    },
    'Nothing was recorded.',
  );
}

function recoverCommands(root: Command, host: Host): void {
  const recover = group(root, 'recover', 'A hub whose database is older than its fleet');
  verb(recover, 'status', {
    summary: 'Say whether the hub is in recovery, and what it waits for',
    examples: ['muster recover status'],
    output: true,
  }).action(
    host.run(async (context) => {
      const view = await context.client().recovery.get();
      printOne(context.terminal, context.format, view, String(view.recovering), () =>
        recoveryText(view, context.now()),
      );
    }),
  );
  verb(recover, 'confirm', {
    summary: 'End the recovery: the hub goes on above the highest version it heard',
    details:
      'Do it once the clusters that matter have reported. From then on the hub signs assignments again; what it does not know stays unclaimed and is never uninstalled by itself.',
    examples: ['muster recover confirm --yes --reason "restored from the backup of Monday"'],
  })
    .option('--reason <text>', 'for the audit log')
    .option('-y, --yes', 'do not ask')
    .action(
      host.run(async (context, { reason, yes }: { reason?: string; yes?: true }) => {
        const client = context.client();
        if (!yes) await confirmed(context, recoveryText(await client.recovery.get(), context.now()));
        const view = await client.recovery.confirm({ reason });
        context.terminal.out(`recovery confirmed, epoch ${view.epoch}`);
      }),
    );
}

async function confirmed({ terminal }: Context, what: string): Promise<void> {
  if (!terminal.interactive) throw new UsageError('nobody is here to ask', '--yes');
  terminal.note(what);
  const answer = (await terminal.ask('Go on? (yes/no) ')).trim().toLowerCase();
  if (answer !== 'yes' && answer !== 'y') throw new UsageError('not confirmed: nothing was done');
}

function recoveryText(view: RecoveryView, now: number): string {
  const { highestHeard: heard } = view;
  return fields([
    ['Recovering', view.recovering ? 'yes' : 'no'],
    ['Since', view.since && `${view.since} (${age(view.since, now)} ago)`],
    ['Reason', view.reason],
    ['Epoch', view.epoch],
    ['Highest heard', `${heard.epoch}.${heard.generation}`],
    ['Recovered clusters', `${view.recoveredClusters} wait for: muster cluster approve`],
    ['Unclaimed', `${view.unclaimed} Applications: muster unclaimed list`],
    ['Confirmed', view.confirmedBy && `by ${view.confirmedBy} at ${view.confirmedAt}`],
  ]);
}

function keysCommands(root: Command, host: Host): void {
  const keys = group(root, 'keys', 'Keys that the hub signs with');
  verb(keys, 'list', {
    summary: 'Show the keys and which clusters have acknowledged them',
    examples: ['muster keys list'],
    output: true,
  }).action(
    host.run(async (context) => {
      const view = await context.client().keys.get();
      printOne(context.terminal, context.format, view, view.keySetVersion, () => keysText(view));
    }),
  );
  verb(keys, 'rotate', {
    summary: 'Make new signing keys and distribute them; sign with them once all clusters have them',
    examples: ['muster keys rotate', 'muster keys rotate --activate --reason "staging-2 is gone"'],
    output: true,
  })
    .option('--activate', 'sign with the distributed keys now, though not all clusters acknowledged them')
    .option('--reason <text>', 'for the audit log')
    .action(
      host.run(async (context, { activate, reason }: { activate?: true; reason?: string }) => {
        const view = await context.client().keys.rotate({ activate: activate ?? false, reason });
        printOne(context.terminal, context.format, view, view.keySetVersion, () => keysText(view));
      }),
    );
}

function keysText(view: KeysView): string {
  const waiting = view.waitingFor.slice(0, 10).join(', ') + (view.waiting > 10 ? ' and more' : '');
  const head = fields([
    ['Hub', view.hubId],
    ['CA SHA-256', view.caSha256],
    [
      'Key set',
      `${view.keySetVersion}${view.rotating ? ' (rotating: the newest keys do not sign yet)' : ''}`,
    ],
    ['Acknowledged', `by ${view.acknowledged} clusters`],
    ['Waiting for', view.waiting > 0 ? `${view.waiting}: ${waiting}` : undefined],
  ]);
  const lines = view.keys.map(({ id, use, active }) => `  ${id} ${use}${active ? ' (signs)' : ''}`);
  return `${head}\nKeys:\n${lines.join('\n')}`;
}
