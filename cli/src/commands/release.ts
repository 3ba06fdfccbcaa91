import type { ReleaseDetail, ReleaseView } from '@muster/api';
import { allItems } from '@muster/api/client';
import { shortCommit } from '@muster/api/commits';
import { releaseDiffMarkdown } from '@muster/api/markdown';
import { stringify } from '@muster/base';
import type { Command } from 'commander';
import { EXIT, UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { formatName, parseName } from '../names.ts';
import { age, fields, plain, printList, printOne, table } from '../output.ts';
import { releaseDiffText } from '../release-text.ts';

const NAMES =
  'A name is [NAMESPACE/]NAME[#NUMBER][@CLUSTER] of an ApplicationSet or an Application: web is what it holds now, web#41 its release 41, web@prod-eu what it holds on one cluster, web#41@prod-eu what release 41 has for that cluster.';
const FORMATS = ['text', 'json', 'yaml', 'name', 'markdown'];
const MAX_MARKDOWN = 65_536;

interface DiffOptions {
  stat?: true;
  full?: true;
  output?: string;
}

export function releaseCommands(root: Command, host: Host): void {
  const release = group(root, 'release', 'Releases: what each target is to hold, and what is different', [
    'releases',
  ]);
  verb(release, 'list <owner>', {
    summary: 'List the releases of an ApplicationSet or Application, newest first',
    examples: ['muster release list web', 'muster release list web -o wide'],
    output: true,
  }).action(host.run(list));
  verb(release, 'get <release>', {
    summary: 'Show what a release has for its targets, or what they hold now',
    details: `Shows targets, commits and images. ${NAMES}`,
    examples: ["muster release get 'web#41'", 'muster release get web@prod-eu'],
    output: true,
  }).action(
    host.run(async (context, of: string) => {
      const found = await context.client().releases.get(qualified(of));
      printOne(context.terminal, context.format, found, found.name, () => detailText(found, context));
    }),
  );
  verb(release, 'diff <a> <b>', {
    summary: 'Compare two releases, clusters or environments: commits, images, manifests',
    details: `Shows the commits between them, the images that change, and the differences of manifests; what is identical is shown once with the targets that share it. Secrets are masked. ${NAMES} Between environments, Applications that are called alike but for the names of their clusters and owners are compared, and objects of the same kind and name in whatever namespace. Ends with 0: nothing differs, 2: something does.`,
    examples: [
      "muster release diff 'web#41' 'web#42'",
      'muster release diff web-staging web-prod --stat',
      'muster release diff web@prod-eu web@prod-us',
      "muster release diff web 'web#42' -o markdown",
    ],
    ownOutput: 'text, json, yaml, name or markdown',
  })
    .option('--stat', 'objects with the numbers of their lines only')
    .option('--full', 'everything: all groups, and the objects that only one side has in full')
    .action(host.run(diff));
}

async function list(context: Context, given: string): Promise<void> {
  const owner = formatName(parseName(given));
  const { releases } = context.client();
  const items = await allItems(
    (after) => releases.list({ owner, limit: 200, ...(after ? { after } : {}) }),
    1000,
  );
  printList<ReleaseView>(
    context.terminal,
    context.format,
    items,
    {
      name: nameOf,
      columns: [
        { title: 'RELEASE', value: nameOf },
        { title: 'CAUSE', value: ({ cause }) => cause },
        { title: 'MESSAGE', value: ({ message }) => message },
        { title: 'ASSIGNED', value: ({ assigned, targets }) => `${assigned}/${targets}` },
        { title: 'AGE', value: ({ createdAt }) => age(createdAt, context.now()) },
        { title: 'AUTHOR', value: ({ author }) => author, wide: true },
        { title: 'COMMIT', value: ({ commit }) => commit, wide: true },
        { title: 'CLUSTERS', value: ({ clusters }) => clusters, wide: true },
        { title: 'REMOVED', value: ({ removed }) => removed, wide: true },
      ],
    },
    `${owner} has no release yet: muster app list says whether it is rendered.`,
  );
}

function nameOf({ owner, number }: ReleaseView): string {
  return `${owner}#${number}`;
}

function detailText(found: ReleaseDetail, context: Context): string {
  const { release, targets, images, more } = found;
  const about = fields([
    ['Of', `${found.ownerKind === 'set' ? 'ApplicationSet' : 'Application'} ${found.owner}`],
    ['Release', release ? `${release.number} (${release.cause})` : 'what is held now'],
    ['Message', release?.message],
    ['Author', release?.author],
    ['Made', release && `${age(release.createdAt, context.now())} ago`],
    ['Assigned', release && `${release.assigned} of ${release.targets} targets`],
  ]);
  const shown = context.format === 'wide' ? targets : targets.slice(0, 30);
  const rest = targets.length - shown.length + more;
  const lines = table(
    shown,
    [
      { title: 'APPLICATION', value: ({ namespace, name }) => `${namespace}/${name}` },
      { title: 'CLUSTER', value: ({ cluster }) => cluster },
      { title: 'RELEASE', value: (one) => one.removed ?? one.release },
      { title: 'COMMITS', value: ({ commits }) => commits.map(shortCommit).join(', ') },
      { title: 'MANIFESTS', value: ({ bundle }) => bundle?.slice(0, 12) ?? 'none' },
    ],
    context.terminal.colour,
  );
  return [
    about,
    ...(shown.length > 0 ? ['', lines] : []),
    ...(rest > 0 ? [`… and ${rest} more`] : []),
    ...(images.length > 0 ? ['', 'Images', ...images.map((image) => `  ${plain(image)}`)] : []),
  ].join('\n');
}

async function diff(context: Context, a: string, b: string, options: DiffOptions): Promise<number> {
  const { terminal } = context;
  const format = options.output ?? 'text';
  if (!FORMATS.includes(format)) throw new UsageError(`-o ${format} is not known`, FORMATS.join(', '));
  const progress = terminal.progress('comparing');
  const asked = {
    a: qualified(a),
    b: qualified(b),
    stat: options.stat === true,
    ...(options.full ? { groups: 1000, members: 1000 } : {}),
  };
  const found = await context
    .client()
    .releases.diff(asked)
    .finally(() => progress.stop());
  if (format === 'json') terminal.out(JSON.stringify(found, null, 2));
  else if (format === 'yaml') terminal.out(stringify(found).trimEnd());
  else if (format === 'markdown') terminal.out(releaseDiffMarkdown(found, MAX_MARKDOWN));
  else if (format === 'name') {
    const members = found.groups.flatMap((one) => one.members);
    for (const { namespace, name, cluster } of members)
      terminal.out(`${namespace}/${name}@${cluster ?? '-'}`);
  } else {
    const { colour } = terminal;
    terminal.out(
      releaseDiffText(found, { colour, stat: options.stat === true, full: options.full === true }),
    );
  }
  return found.same ? EXIT.ok : EXIT.changes;
}

/** A name with its namespace: the hub's own default is not the client's business. */
function qualified(text: string): string {
  const at = text.search(/[#@]/);
  const [name, rest] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
  return `${formatName(parseName(name))}${rest}`;
}
