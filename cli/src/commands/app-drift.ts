import { MusterError, stringify } from '@muster/base';
import type { Command } from 'commander';
import { EXIT } from '../exit.ts';
import { type Context, type Host, verb } from '../host.ts';
import { parseName } from '../names.ts';
import { OBJECT_FORMS } from '../resource-names.ts';
import { resolveKey } from './app-objects.ts';
import { age, printList, printOne } from '../output.ts';
import { fieldText, type FieldRow, resourceName, type ResourceRow } from './app-view.ts';

/** `muster app diff` and `muster app accept-drift`. */
export function appDriftCommands(app: Command, host: Host): void {
  verb(app, 'diff <name>', {
    summary: 'Show what differs between Git and the cluster, field by field',
    details: `Asks the cluster to compare now. Exit code ${EXIT.ok}: nothing differs, ${EXIT.changes}: something does, ${EXIT.failed}: it could not be told.`,
    examples: ['muster app diff guestbook-dev'],
    output: true,
  }).action(host.run(diff));

  verb(app, 'accept-drift <name>', {
    summary: 'Accept what differs: from then on it is no drift and is not put back',
    details:
      'Writes a rule of ignoreDifferences for each field that the cluster reported as different, and prints it to be put into Git. Objects that are gone, and releases that wait for their sync, are no drift that can be accepted.',
    examples: [
      'muster app accept-drift web-prod',
      'muster app accept-drift web-prod --resource Deployment/web --field spec.replicas --reason "scaled by hand for the sale"',
      'muster app accept-drift web-prod --list',
      'muster app accept-drift web-prod --forget --field spec.replicas',
    ],
    output: true,
  })
    .option('--resource <key>', `only this object: ${OBJECT_FORMS}`)
    .option('--field <path>', 'only this field, as `muster app get` shows it')
    .option('--reason <text>', 'for the audit log')
    .option('--list', 'show what was accepted')
    .option('--forget', 'undo: what was accepted is drift again')
    .action(host.run(acceptDrift));
}

interface DriftOptions {
  resource?: string;
  field?: string;
  reason?: string;
  list?: true;
  forget?: true;
}

async function acceptDrift(
  context: Context,
  full: string,
  { list, forget, resource: object, ...more }: DriftOptions,
): Promise<void> {
  const { terminal, format } = context;
  const { namespace, name } = parseName(full);
  const client = context.client();
  const { applications } = client;
  const resource = object && (await resolveKey(client, namespace, name, object));
  const which = { ...more, ...(resource && { resource }) };
  if (forget) {
    await applications.forgetDrift(namespace, name, { resource, field: which.field });
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
  printOne(terminal, format, answer, given, () =>
    resources.length > 0
      ? `In Git → in the cluster:\n${resources.map(diffText).join('\n')}`
      : 'Nothing differs.',
  );
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
  const note = row.state === 'differs' && row.message ? `: ${row.message}` : '';
  const head = `${resourceName(row)}${state ? ` ${state}` : ''}${by}${note}`;
  return [head, ...(row.fields ?? row.drift?.fields ?? []).map((field) => `  ${fieldText(field)}`)].join(
    '\n',
  );
}
