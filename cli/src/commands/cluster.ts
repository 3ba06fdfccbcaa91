import type { ClusterView, ListClusters, RemoveCluster } from '@muster/api';
import { allItems } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { applyLabelChanges, labelChanges } from '../names.ts';
import { age, fields, labelText, paintState, printList, printOne, type View } from '../output.ts';
import { joinTokenCommands } from './join-token.ts';

export function clusterCommands(root: Command, host: Host): void {
  const cluster = group(root, 'cluster', 'Clusters: join, approve, label, remove', ['clusters']);
  verb(cluster, 'list', {
    summary: 'List clusters',
    examples: ['muster cluster list', 'muster cluster list -l env=prod --state active -o wide'],
    output: true,
  })
    .option('-l, --label <selector>', 'with these labels, as kubectl -l reads it')
    .option('--state <state>', 'pending, active, recovered or removing')
    .option('--search <text>', 'with this in their name')
    .action(host.run(list));
  verb(cluster, 'get <name>', {
    summary: 'Show a cluster',
    examples: ['muster cluster get prod-eu-1', 'muster cluster get prod-eu-1 -o yaml'],
    output: true,
  }).action(
    host.run(async (context, name: string) => {
      const found = await context.client().clusters.get(name);
      printOne(context.terminal, context.format, found, found.name, () => clusterText(found, context.now()));
    }),
  );
  verb(cluster, 'approve <names...>', {
    summary: 'Accept clusters that ask to join, or came back to an emptied hub',
    details:
      'Compare the UID of the kube-system namespace first when you must be sure which cluster it is: muster cluster get NAME.',
    examples: ['muster cluster approve prod-eu-1'],
  })
    .option('--reason <text>', 'for the audit log')
    .action(
      host.run(async (context, names: string[], { reason }: { reason?: string }) => {
        const client = context.client();
        for (const name of names) {
          const { state } = await client.clusters.approve(name, { reason });
          context.terminal.out(`cluster/${name} approved (${state})`);
        }
      }),
    );
  changeCommands(cluster, host);
  removeCommand(cluster, host);
  joinTokenCommands(cluster, host);
}

async function list(context: Context, options: Partial<ListClusters>): Promise<void> {
  const { label, state, search } = options;
  const client = context.client();
  const items = await allItems((after) => client.clusters.list({ label, state, search, limit: 500, after }));
  printList(context.terminal, context.format, items, clusterView(context.now()), 'No clusters.');
}

/** The list of clusters. */
export function clusterView(now: number): View<ClusterView> {
  return {
    name: ({ name }) => name,
    columns: [
      { title: 'NAME', value: ({ name }) => name },
      {
        title: 'STATE',
        value: ({ state, waiting }) => (waiting && state === 'active' ? 'active (joining again)' : state),
        paint: paintState,
      },
      { title: 'CONNECTION', value: ({ connection }) => connection, paint: paintState },
      { title: 'LAST SEEN', value: ({ lastSeenAt }) => lastSeenAt && `${age(lastSeenAt, now)} ago` },
      { title: 'KUBERNETES', value: ({ kubernetesVersion }) => kubernetesVersion },
      { title: 'NODES', value: ({ nodeCount }) => nodeCount },
      { title: 'LABELS', value: ({ labels }) => labelText(labels) },
      { title: 'SERVER', value: ({ server }) => server, wide: true },
      { title: 'ACCEPTS', value: ({ limits }) => limits?.accepts, wide: true },
      { title: 'AGENT', value: ({ agentVersion }) => agentVersion, wide: true },
      { title: 'ID', value: ({ id }) => id, wide: true },
    ],
  };
}

function clusterText(cluster: ClusterView, now: number): string {
  const { removal, cloned, waiting, silentSince } = cluster;
  const when = (time: string | undefined) => time && `${time} (${age(time, now)} ago)`;
  return fields([
    ['Name', cluster.name],
    ['Id', cluster.id],
    ['Server', cluster.server],
    ['State', cluster.state],
    ['Connection', silentSince ? `silent, Unknown since ${when(silentSince)}` : cluster.connection],
    ['Last seen', when(cluster.lastSeenAt)],
    ['Clock', clockText(cluster.clockOffsetMs)],
    ['Labels', labelText(cluster.labels)],
    ['Annotations', labelText(cluster.annotations)],
    ['Local', cluster.local ? 'yes: the hub runs in it' : undefined],
    ['Kubernetes', cluster.kubernetesVersion],
    ['Agent', cluster.agentVersion],
    ['Nodes', cluster.nodeCount?.toString()],
    ...limitRows(cluster),
    ['kube-system', cluster.kubeSystemUid],
    ['Waiting', waiting && `asks to join since ${when(waiting.since)}, kube-system ${waiting.kubeSystemUid}`],
    ['Cloned', cloned && `cluster ${cloned.uid} presented this identity at ${cloned.at} and was refused`],
    ['Removal', removal && `${removal.mode}, asked for ${when(removal.requestedAt)}`],
    ['Approved', cluster.approvedBy && `by ${cluster.approvedBy} at ${cluster.approvedAt}`],
  ]);
}

/** Beyond this somebody should look after NTP; windows go by the hub's clock all the same. */
const CLOCK_WARNING_MS = 60_000;

/** How far the cluster's clock is from the hub's. */
export function clockText(offsetMs: number | undefined): string | undefined {
  if (offsetMs === undefined) return undefined;
  const off = Math.abs(offsetMs);
  if (off < 1_000) return "as the hub's";
  const text = `${age(0, off)} ${offsetMs > 0 ? 'behind' : 'ahead of'} the hub's`;
  return off < CLOCK_WARNING_MS ? text : `${text}: set it right (NTP); certificates and log times go by it`;
}

/** What whoever installed the agent allows it, beyond which the hub cannot go. */
function limitRows({ limits, namespaces }: ClusterView): [string, string | undefined][] {
  const text = (list: string[] | undefined) => list?.join(', ') || undefined;
  return [
    ['Accepts', limits && (limits.observeOnly ? `${limits.accepts}: it changes nothing` : limits.accepts)],
    ['Namespaces', text(limits?.namespaces) ?? text(namespaces)],
    ['Kinds', text(limits?.kinds)],
    ['Cluster kinds', text(limits?.clusterKinds)],
    ['Acts as', text(limits?.serviceAccounts)],
    ['Needs account', limits?.needsServiceAccount ? 'yes: it writes nothing as itself' : undefined],
  ];
}

function changeCommands(cluster: Command, host: Host): void {
  const label = verb(cluster, 'label <name-or-change> [changes...]', {
    summary: 'Set (KEY=VALUE) and remove (KEY-) labels of a cluster, or of all that a selector takes',
    details:
      'ApplicationSets that select by these labels expand again: once, however many clusters change together.',
    examples: [
      'muster cluster label prod-eu-1 env=prod region=eu tier-',
      'muster cluster label -l region=eu,env!=dev ring=second',
    ],
  }).option('-l, --label <selector>', 'all clusters with these labels, as kubectl -l reads it');
  label.action(
    host.run(async (context, name: string, rest: string[], { label: selector }: { label?: string }) => {
      const client = context.client();
      const changes = selector === undefined ? rest : [name, ...rest];
      if (changes.length === 0) throw new UsageError('say what to change: KEY=VALUE or KEY-');
      if (selector !== undefined) {
        const { selected, changed } = await client.clusters.label({ selector, ...labelChanges(changes) });
        context.terminal.out(`${changed} of ${selected} clusters labeled`);
        return;
      }
      const { labels } = await client.clusters.get(name);
      const changed = await client.clusters.change(name, { labels: applyLabelChanges(labels, changes) });
      context.terminal.out(`cluster/${name} labeled: ${labelText(changed.labels)}`);
    }),
  );
  verb(cluster, 'annotate <name> <changes...>', {
    summary: 'Set (KEY=VALUE) and remove (KEY-) annotations',
    examples: ['muster cluster annotate prod-eu-1 owner=team-a'],
  }).action(
    host.run(async (context, name: string, changes: string[]) => {
      const client = context.client();
      const { annotations } = await client.clusters.get(name);
      await client.clusters.change(name, { annotations: applyLabelChanges(annotations, changes) });
      context.terminal.out(`cluster/${name} annotated`);
    }),
  );
  verb(cluster, 'revoke-certificates <name>', {
    summary: 'Refuse every certificate that the agent of a cluster holds: it has to join again',
    examples: ['muster cluster revoke-certificates prod-eu-1'],
  }).action(
    host.run(async (context, name: string) => {
      const { revoked } = await context.client().clusters.revokeCertificates(name);
      context.terminal.out(`cluster/${name} ${revoked} certificates revoked`);
    }),
  );
}

type Mode = RemoveCluster['mode'];
const MODES: Record<Mode, string> = {
  keep: 'keep the workloads: the agent lets go of them and they go on running',
  uninstall: 'uninstall them first, then forget the cluster',
  forget: 'forget a cluster that is dead and will not come back',
};

function removeCommand(cluster: Command, host: Host): void {
  verb(cluster, 'remove <name>', {
    summary: 'Remove a cluster, keeping, uninstalling or forgetting what runs there',
    examples: ['muster cluster remove old-1 --keep', 'muster cluster remove dead-1 --forget'],
  })
    .option('--keep', MODES.keep)
    .option('--uninstall', MODES.uninstall)
    .option('--forget', MODES.forget)
    .action(
      host.run(async (context, name: string, options: Partial<Record<Mode, true>>) => {
        const client = context.client();
        const mode = chosenMode(options) ?? (await askMode(context, name));
        const { result } = await client.clusters.remove(name, { mode });
        const shown = result === 'gone' ? 'removed' : 'removing: it goes once its agent has let go';
        context.terminal.out(`cluster/${name} ${shown}`);
      }),
    );
}

/** @throws UsageError for two of them. */
export function chosenMode(options: Partial<Record<Mode, true>>): Mode | undefined {
  const chosen = (Object.keys(MODES) as Mode[]).filter((mode) => options[mode]);
  if (chosen.length > 1) throw new UsageError(`--${chosen.join(' and --')} exclude each other`);
  return chosen[0];
}

/** Nothing is guessed where workloads are at stake. */
async function askMode({ terminal }: Context, name: string): Promise<Mode> {
  if (!terminal.interactive) {
    throw new UsageError('what is to become of the workloads?', '--keep, --uninstall or --forget');
  }
  terminal.note(`What is to become of the workloads on ${name}?`);
  for (const [mode, text] of Object.entries(MODES)) terminal.note(`  ${mode.padEnd(10)} ${text}`);
  const answer = (await terminal.ask('keep, uninstall or forget? ')).trim();
  if (answer in MODES) return answer as Mode;
  throw new MusterError('invalid', `"${answer}" is none of them: nothing was done`);
}
