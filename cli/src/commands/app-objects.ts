import type { LogLine, ResourceEvents, ResourceView } from '@muster/api';
import type { HubClient } from '@muster/api/client';
import { stringify } from '@muster/base';
import { parseKeyString, selectorOf } from '@muster/kube';
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { type Context, type Host, verb } from '../host.ts';
import { countFrom, parseDuration, parseName } from '../names.ts';
import { age, inUsualOrder, plain, printList, printOne } from '../output.ts';
import { OBJECT_FORMS, matching, objectKey, objectName, parseObjectName, theOne } from '../resource-names.ts';
import { treeText } from '../tree-text.ts';
import { type ResourceRow, fieldText } from './app-view.ts';

const LIVE = 'Read through the agent, now: nothing of it is kept.';

/** Looks into clusters: tree, manifest, events, logs. */
export function appObjectCommands(app: Command, host: Host): void {
  verb(app, 'tree <name>', {
    summary: 'Show the objects of an Application and what they own, as they are now',
    details: `ReplicaSets, Pods, Jobs and the like below what Git names, with health, age and what is wrong. ${LIVE}`,
    examples: ['muster app tree guestbook-dev', 'muster app tree guestbook-dev -o json'],
    output: true,
  }).action(host.run(tree));
  verb(app, 'manifest <name>', {
    summary: 'Print one object: as it is, as Git says, or the difference',
    details: `Values of Secrets are masked. ${LIVE}`,
    examples: [
      'muster app manifest guestbook-dev --resource Deployment/web',
      'muster app manifest guestbook-dev --resource Deployment/web --desired',
      'muster app manifest guestbook-dev --resource :ConfigMap:settings --diff',
    ],
    ownOutput: 'yaml or json',
  })
    .requiredOption('--resource <name>', OBJECT_FORMS)
    .option('--live', 'as it is in the cluster (the default)')
    .option('--desired', 'as Git says')
    .option('--diff', 'what differs, field by field, and who wrote it')
    .action(host.run(manifest));
  verb(app, 'events <name>', {
    summary: 'List events of an Application’s objects, the newest last',
    details: `Of all of them, or of one and what it owns. Kubernetes keeps events for about an hour. ${LIVE}`,
    examples: [
      'muster app events guestbook-dev',
      'muster app events guestbook-dev --resource Pod/web-7d9f-x2x',
    ],
    output: true,
  })
    .option('--resource <name>', `of this object and what it owns: ${OBJECT_FORMS}`)
    .action(host.run(events));
  logsCommand(app, host);
}

function logsCommand(app: Command, host: Host): void {
  verb(app, 'logs <name>', {
    summary: 'Print logs of an Application’s Pods',
    details: `Of all its Pods, of those that an object owns, or of one; lines of several are marked with their Pod. Needs the role operator and is kept in the audit log, as nobody can redact what an application writes. Following what owns Pods, new Pods join and gone ones end with a note. At most 20 containers at once; following ends after half an hour, when the Job has ended, or when what owns the Pods is gone. ${LIVE}`,
    examples: [
      'muster app logs guestbook-dev --tail 20',
      'muster app logs guestbook-dev --resource Deployment/web -f',
      'muster app logs guestbook-dev --resource Pod/web-7d9f-x2x -c nginx --since 10m',
      'muster app logs guestbook-dev --resource Pod/web-7d9f-x2x -p   # of the container before the restart',
    ],
    ownOutput: 'text, or json for a line of JSON each',
  })
    .option('--resource <name>', `a Pod, or what owns Pods: ${OBJECT_FORMS}`)
    .option('-f, --follow', 'go on as lines come, until interrupted')
    .option('--tail <lines>', 'of each container, from its end', countFrom(1), 200)
    .option('--since <duration>', 'not older than this', parseDuration)
    .option('-c, --container <name>', 'this one; else the default of each Pod')
    .option('--all-containers', 'all of each Pod, init containers too')
    .option('-p, --previous', 'of the container that ran before')
    .option('--timestamps', 'with the time of each line')
    .option('--reason <text>', 'for the audit log')
    .action(host.run(logs));
}

async function tree(context: Context, given: string): Promise<void> {
  const { terminal, format } = context;
  const { namespace, name } = parseName(given);
  const answer = await asking(context, `looking into the cluster of ${name}`, (client) =>
    client.applications.tree(namespace, name),
  );
  if (format === 'name') return answer.nodes.forEach((node) => terminal.out(objectName(node)));
  printOne(terminal, format, answer, given, () => {
    if (answer.nodes.length === 0) return 'The Application has no objects yet.';
    return treeText(answer, { now: context.now(), colour: terminal.colour, wide: format === 'wide' });
  });
}

interface ManifestOptions {
  resource: string;
  live?: true;
  desired?: true;
  diff?: true;
  output?: string;
}

async function manifest(context: Context, given: string, options: ManifestOptions): Promise<void> {
  const { terminal } = context;
  const { live, desired, diff, output = 'yaml' } = options;
  if ([live, desired, diff].filter(Boolean).length > 1)
    throw new UsageError('--live, --desired and --diff exclude each other');
  if (output !== 'yaml' && output !== 'json') throw new UsageError(`-o ${output} is not known`, 'yaml, json');
  const { namespace, name } = parseName(given);
  const view = await asking(context, `reading ${options.resource}`, async (client) =>
    client.applications.resource(namespace, name, {
      resource: await resolveKey(client, namespace, name, options.resource),
      diff: diff ?? false,
    }),
  );
  if (diff)
    return terminal.out(output === 'json' ? JSON.stringify(view.diff ?? null, null, 2) : diffText(view));
  const object = desired ? view.desired : view.live;
  if (!object) {
    terminal.note(desired ? 'Git does not name it.' : 'It is not in the cluster.');
    return;
  }
  terminal.out(
    output === 'json' ? JSON.stringify(object, null, 2) : stringify(inUsualOrder(object)).trimEnd(),
  );
}

const STATES = {
  synced: 'It is as Git says.',
  missing: 'It is not in the cluster.',
  extra: 'It is no longer in Git.',
  unknown: 'It could not be judged',
};

function diffText({ diff, managed }: ResourceView): string {
  if (!diff)
    return managed ? 'Git does not name it.' : 'Git does not name it: it is owned by what Git names.';
  if (diff.state === 'unknown') return `${STATES.unknown}: ${plain(diff.message ?? '')}`;
  if (diff.state !== 'differs') return STATES[diff.state];
  const by = diff.manager ? ` (written by ${diff.manager})` : '';
  return [`It differs from Git${by}:`, ...diff.fields.map((field) => `  ${plain(fieldText(field))}`)].join(
    '\n',
  );
}

async function events(context: Context, given: string, options: { resource?: string }): Promise<void> {
  const { terminal, format } = context;
  const { namespace, name } = parseName(given);
  const answer = await asking(context, `reading events of ${name}`, async (client) =>
    client.applications.events(namespace, name, {
      ...(options.resource && { resource: await resolveKey(client, namespace, name, options.resource) }),
    }),
  );
  if (format === 'json' || format === 'yaml') return printOne(terminal, format, answer, given, () => '');
  const now = context.now();
  type Item = ResourceEvents['items'][number];
  printList(
    terminal,
    format,
    [...answer.items].reverse(),
    {
      name: ({ object }: Item) => objectName(object),
      columns: [
        { title: 'LAST', value: ({ lastAt }) => age(lastAt, now) },
        { title: 'TYPE', value: ({ type }) => type },
        { title: 'REASON', value: ({ reason }) => reason },
        { title: 'OBJECT', value: ({ object }) => `${object.kind}/${object.name}` },
        { title: 'COUNT', value: ({ count }) => count, wide: true },
        { title: 'SOURCE', value: ({ source }) => source, wide: true },
        { title: 'MESSAGE', value: ({ message }) => message },
      ],
    },
    'No events.',
  );
  for (const note of answer.notes) terminal.note(`note: ${plain(note)}`);
}

interface LogsOptions {
  resource?: string;
  follow?: true;
  tail: number;
  since?: number;
  container?: string;
  allContainers?: true;
  previous?: true;
  timestamps?: true;
  reason?: string;
  output?: string;
}

async function logs(context: Context, given: string, options: LogsOptions): Promise<void> {
  const { terminal } = context;
  const { output = 'text', follow, previous, reason, since: sinceSeconds, tail: tailLines } = options;
  if (output !== 'text' && output !== 'json') throw new UsageError(`-o ${output} is not known`, 'text, json');
  const { namespace, name } = parseName(given);
  const client = context.client();
  const key = options.resource && (await resolveKey(client, namespace, name, options.resource));
  const container = options.allContainers ? '*' : options.container;
  const query = {
    tailLines,
    ...(key && { resource: key }),
    ...(container && { container }),
    ...(follow && { follow }),
    ...(previous && { previous }),
    ...(sinceSeconds && { sinceSeconds }),
    ...(reason && { reason }),
  };
  // One Pod needs no name before each of its lines.
  const marked = !key?.startsWith('/Pod/') || container === '*';
  let lines = 0;
  for await (const event of client.applications.logs(namespace, name, query)) {
    if (event.type === 'line' && !event.line.note) lines++;
    if (event.type === 'end') {
      if (lines === 0) terminal.note('No lines.');
      if (event.end.cut) terminal.note(`note: ${plain(event.end.cut)}`);
    } else if (output === 'json') terminal.out(JSON.stringify(event.line));
    else if (event.line.note) terminal.note(noteText(event.line));
    else terminal.out(lineText(event.line, marked, options.timestamps ?? false));
  }
}

/** What is said of a container: not a line of its log. */
function noteText({ pod, container, text }: LogLine): string {
  return `--- ${plain(pod)} ${plain(container)} ${plain(text)} ---`;
}

function lineText({ pod, container, time, text }: LogLine, marked: boolean, timestamps: boolean): string {
  const lead = marked ? `[${plain(pod)} ${plain(container)}] ` : '';
  return `${lead}${timestamps && time ? `${time} ` : ''}${harmless(text)}`;
}

/** Colours may stay; what else steers a terminal goes. */
function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[0-9;]*m|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, (found) =>
    found.length > 1 ? found : '',
  );
}

/** Waits with a word of it for what the agent has to look up. */
async function asking<T>(context: Context, what: string, act: (client: HubClient) => Promise<T>): Promise<T> {
  const progress = context.terminal.progress(`${what} …`);
  try {
    return await act(context.client());
  } finally {
    progress.stop();
  }
}

/** Selectors as the hub takes them: globs and exclusions as they are, names of objects in any of their forms. */
export async function resolveSelectors(
  client: HubClient,
  { namespace, name }: { namespace: string; name: string },
  given: readonly string[] | undefined,
): Promise<string[] | undefined> {
  return (
    given &&
    Promise.all(
      given.map(async (text) => {
        if (text.includes(':') || !text.includes('/')) return text;
        const key = parseKeyString(await resolveKey(client, namespace, name, text));
        return key ? selectorOf(key) : text;
      }),
    )
  );
}

/** The key of the object that is meant: among what the cluster reported, else in the tree of now. */
export async function resolveKey(
  client: HubClient,
  namespace: string,
  name: string,
  given: string,
): Promise<string> {
  const written = parseObjectName(given);
  const { group, namespace: of } = written;
  if (group !== undefined && of !== undefined) return objectKey({ ...written, group, namespace: of });
  const { resources } = await client.applications.resources(namespace, name);
  const reported = (resources as unknown as ResourceRow[]).map((each) => ({
    ...each,
    group: each.group ?? '',
    namespace: each.namespace ?? '',
  }));
  const found = matching(written, reported);
  if (found.length > 0) return objectKey(theOne(given, found));
  const { nodes } = await client.applications.tree(namespace, name);
  return objectKey(theOne(given, matching(written, nodes)));
}
