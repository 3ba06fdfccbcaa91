import type { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { collectList } from '../names.ts';
import { paintState, printList, type View } from '../output.ts';
import { planInputs, type SyncFlags } from '../sync-inputs.ts';

interface Files {
  filename: string[];
  recursive?: true;
}

/** Verbs that need no hub: what Muster thinks of manifests, for CI and for learning. */
export function offlineCommands(root: Command, host: Host): void {
  withFiles(
    verb(root, 'health', {
      summary: 'Judge the health of objects as agents do',
      details: 'A kind without a check has no health (null), which is not the same as Healthy.',
      examples: ['kubectl get all -o yaml | muster health -f - -o json', 'muster health -f objects.yaml'],
      output: true,
      offline: true,
    }),
  )
    .option('--customizations <file>', 'argocd-cm.yaml with your own health checks')
    .action(host.run(health));

  const sync = group(root, 'sync', 'What a sync would do');
  withFiles(
    verb(sync, 'plan', {
      summary: 'Print the order in which a sync would apply and prune',
      details:
        'Phases, waves, kinds and names as in Argo CD; `held` says which guard would keep an object. Sync options count where they change the plan: PruneLast, CreateNamespace, SkipDryRunOnMissingResource, Prune.',
      examples: [
        'muster sync plan -f desired.yaml --live live.yaml --namespace demo -o json',
        'muster sync plan -f desired.yaml --application app.yaml --option PruneLast=true --revision 3fa9c1d2',
      ],
      output: true,
      offline: true,
    }),
  )
    .option('--live <file>', 'what is in the cluster: file, folder or - (repeatable)', collectList)
    .option('--namespace <name>', 'destination namespace; default: that of --application')
    .option('--application <file>', 'an Application whose sync options and destination namespace count')
    .option('--option <name=value>', 'a sync option, before those of --application (repeatable)', collectList)
    .option('--revision <revision>', 'what is synced: names hooks that have a generateName')
    .option('--started-at <time>', 'when the sync began, Unix seconds or ISO 8601: names such hooks too')
    .option('--skip-hooks', 'without hooks, as a selective sync')
    .action(host.run(plan));

  withFiles(
    verb(root, 'diff', {
      summary: 'Compare manifests with live objects, field by field, secrets masked',
      details: `Compares what the manifests say; what only the live object has (defaults, status) is no difference. Exit code ${EXIT.ok}: none, ${EXIT.changes}: some, ${EXIT.failed}: error.`,
      examples: [
        'muster diff -f desired.yaml --live live.yaml',
        'muster diff -f desired.yaml --live live.yaml --application app.yaml -o json',
      ],
      output: true,
      offline: true,
    }),
  )
    .requiredOption('--live <file>', 'what is in the cluster: file, folder or - (repeatable)', collectList)
    .option('--namespace <name>', 'of manifests that name none')
    .option('--application <file>', 'an Application whose ignoreDifferences count')
    .action(host.run(diff));
}

function withFiles(command: Command): Command {
  return command
    .requiredOption('-f, --filename <file>', 'manifests: file, folder or - (repeatable)', collectList)
    .option('-R, --recursive', 'folders with their subfolders');
}

interface Named {
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

const objectColumns = [
  { title: 'KIND', value: ({ group: of, kind }: Named) => (of ? `${kind}.${of}` : kind) },
  { title: 'NAMESPACE', value: ({ namespace }: Named) => namespace },
  { title: 'NAME', value: ({ name }: Named) => name },
];
const objectName = ({ kind, name }: Named) => `${kind}/${name}`;

// The semantics are a large module: only these commands load it.
const semantics = () => import('../offline.ts');

async function health(
  { terminal, format }: Context,
  options: Files & { customizations?: string },
): Promise<void> {
  const { customizationsOf, healthOf, readObjects } = await semantics();
  const checks = options.customizations
    ? await customizationsOf(options.customizations, terminal)
    : undefined;
  const { recursive } = options;
  const objects = await readObjects(options.filename, { recursive, nameless: true, terminal });
  const rows = healthOf(objects, checks);
  const view: View<(typeof rows)[number]> = {
    name: objectName,
    columns: [
      ...objectColumns,
      { title: 'HEALTH', value: ({ status }) => status ?? undefined, paint: paintState },
      { title: 'MESSAGE', value: ({ message }) => message },
    ],
  };
  printList(terminal, format, rows, view, 'No objects.');
}

async function plan(
  { terminal, format }: Context,
  options: Files & SyncFlags & { live?: string[] },
): Promise<void> {
  const { planOf, readObjects } = await semantics();
  const inputs = await planInputs(options, terminal);
  const { recursive } = options;
  const desired = await readObjects(options.filename, { recursive, nameless: true, terminal });
  const live = options.live ? await readObjects(options.live, { terminal }) : [];
  const rows = planOf(desired, live, inputs);
  const view: View<(typeof rows)[number]> = {
    name: objectName,
    columns: [
      { title: 'PHASE', value: ({ phase }) => phase },
      { title: 'WAVE', value: ({ wave }) => wave },
      { title: 'ACTION', value: ({ action, hook }) => (hook ? `${action} hook` : action) },
      ...objectColumns,
      { title: 'HELD', value: ({ held }) => held },
    ],
  };
  printList(terminal, format, rows, view, 'Nothing to do.');
}

async function diff(
  { terminal, format }: Context,
  options: Files & { live: string[]; namespace?: string; application?: string },
): Promise<number> {
  const { differences, ignoreRulesOf, readObjects } = await semantics();
  const desired = await readObjects(options.filename, { recursive: options.recursive, terminal });
  const live = await readObjects(options.live, { terminal });
  const rules = options.application ? await ignoreRulesOf(options.application, terminal) : [];
  const { rows, problems } = await differences(desired, live, rules, options.namespace ?? '');
  for (const problem of problems) terminal.note(`not obeyed: ${problem}`);
  if (format === 'table' || format === 'wide') {
    if (rows.length > 0) terminal.out('In the cluster → in the manifests:');
    for (const { state, fields, ...object } of rows) {
      terminal.out(`${objectName(object)}${object.namespace ? ` in ${object.namespace}` : ''}: ${state}`);
      for (const { path, from, to } of fields) {
        terminal.out(`  ${path || '(object)'}: ${valueText(from)} → ${valueText(to)}`);
      }
    }
    if (rows.length === 0) terminal.out('Nothing differs.');
  } else printList(terminal, format, rows, { name: objectName, columns: objectColumns });
  return rows.length > 0 ? EXIT.changes : EXIT.ok;
}

function valueText(value: unknown): string {
  return value === undefined ? '(absent)' : JSON.stringify(value);
}
