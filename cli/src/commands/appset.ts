import type { ApplicationSetView } from '@muster/api';
import { allItems } from '@muster/api/client';
import type { Command } from 'commander';
import type { GenerateOptions } from '../generate.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { collectList, formatName, parseName } from '../names.ts';
import { age, fields, printList, printOne } from '../output.ts';

export function appSetCommands(root: Command, host: Host): void {
  const appset = group(root, 'appset', 'ApplicationSets: see, delete, approve, preview', [
    'appsets',
    'applicationset',
  ]);
  verb(appset, 'list', {
    summary: 'List ApplicationSets',
    examples: ['muster appset list'],
    output: true,
  }).action(host.run(list));
  verb(appset, 'get <name>', {
    summary: 'Show an ApplicationSet with its conditions',
    examples: ['muster appset get guestbook', 'muster appset get argocd/guestbook -o yaml'],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const { namespace, name } = parseName(given);
      const found = await context.client().applicationSets.get(namespace, name);
      printOne(context.terminal, context.format, found, formatName(found), () =>
        setText(found, context.now()),
      );
    }),
  );
  verb(appset, 'delete <names...>', {
    summary: 'Delete ApplicationSets; what becomes of their Applications follows their policies',
    details:
      'That all of a set leaves always waits for an approval; an approver may give it at once with --approve.',
    examples: ['muster appset delete guestbook'],
  })
    .option('--approve', 'approve the removal of all its Applications (approvers)')
    .action(
      host.run(async (context, names: string[], { approve }: { approve?: true }) => {
        const client = context.client();
        for (const { namespace, name } of names.map(parseName)) {
          await client.applicationSets.remove(namespace, name, { approve });
          context.terminal.out(`applicationset/${namespace}/${name} deleted`);
        }
      }),
    );
  verb(appset, 'approve-deletions <name>', {
    summary: 'Let go what the deletion budget holds back',
    examples: ['muster appset approve-deletions guestbook --reason "moved to another set"'],
  })
    .option('--reason <text>', 'for the audit log')
    .action(
      host.run(async (context, given: string, { reason }: { reason?: string }) => {
        const { namespace, name } = parseName(given);
        const { approved } = await context
          .client()
          .applicationSets.approveDeletions(namespace, name, { reason });
        context.terminal.out(`applicationset/${namespace}/${name} ${approved} deletions approved`);
      }),
    );
  generateCommand(appset, host);
}

function generateCommand(appset: Command, host: Host): void {
  verb(appset, 'generate', {
    summary: 'Show the Applications that ApplicationSets would make, without a hub',
    details:
      'CLUSTERS is a YAML list of {name, server, labels, annotations, project, namespace}. A folder stands for a repository at any revision. AppProjects among the documents, or --projects, say which projects exist; without them all do. Applications that could not be used (a name twice, no such project) are shown with a warning; an expansion that fails shows none, and its error names the reason.',
    examples: [
      'muster appset generate -f appset.yaml --clusters clusters.yaml -o yaml',
      'muster appset generate -f appset.yaml --repo https://git.example/x.git=./checkout -o json',
    ],
    output: true,
    offline: true,
  })
    .requiredOption('-f, --filename <file>', 'ApplicationSets: file, folder or - (repeatable)', collectList)
    .option('--clusters <file>', 'the clusters that are registered')
    .option(
      '--repo <url=dir>',
      'a folder for a repository (repeatable)',
      (text: string, all: string[] = []) => [...all, text],
    )
    .option(
      '--plugin <name=file>',
      'a JSON file for what a plugin answers (repeatable)',
      (text: string, all: string[] = []) => [...all, text],
    )
    .option(
      '--resources <file>',
      'ConfigMaps and resources of clusterDecisionResource: file or folder (repeatable)',
      collectList,
    )
    .option('--projects <names>', 'the projects that exist: name,name or a file of names or AppProjects')
    .option('--validate-destinations', 'warn of destinations that are not among the clusters')
    .action(
      host.run(async (context, options: GenerateOptions) => {
        // Expansion and its engines are large; only this command waits for them.
        const { generate } = await import('../generate.ts');
        const applications = await generate(context, options);
        printList(
          context.terminal,
          context.formatGiven ? context.format : 'yaml',
          applications,
          {
            name: ({ metadata }) => metadata.name,
            columns: [
              { title: 'NAME', value: ({ metadata }) => metadata.name },
              { title: 'PROJECT', value: ({ spec }) => spec.project },
              { title: 'SERVER', value: ({ spec }) => spec.destination?.server ?? spec.destination?.name },
              { title: 'NAMESPACE', value: ({ spec }) => spec.destination?.namespace },
              { title: 'REPOSITORY', value: ({ spec }) => spec.source?.repoURL },
              { title: 'PATH', value: ({ spec }) => spec.source?.path ?? spec.source?.chart },
            ],
          },
          'No Applications.',
        );
      }),
    );
}

async function list(context: Context): Promise<void> {
  const client = context.client();
  const items = await allItems((after) => client.applicationSets.list({ limit: 500, after }));
  printList(
    context.terminal,
    context.format,
    items,
    {
      name: formatName,
      columns: [
        { title: 'NAME', value: formatName },
        { title: 'PROJECT', value: ({ project }) => project },
        { title: 'APPLICATIONS', value: ({ applications }) => applications },
        { title: 'LEAVING', value: ({ leaving }) => leaving || undefined },
        { title: 'HELD', value: ({ held }) => held || undefined },
        { title: 'RELEASE', value: ({ release }) => release && `#${release.number}` },
        { title: 'AGE', value: ({ createdAt }) => age(createdAt, context.now()) },
        { title: 'STATUS', value: statusOf },
      ],
    },
    'No ApplicationSets.',
  );
}

/** The error if there is one, else that all is well. */
function statusOf({ conditions, deleting }: ApplicationSetView): string {
  if (deleting) return 'deleting';
  const error = conditions.find(({ type, status }) => type === 'ErrorOccurred' && status === 'True');
  return error ? `${error.reason}: ${error.message}` : 'ok';
}

function setText(set: ApplicationSetView, now: number): string {
  const { applications, leaving, held, release, conditions } = set;
  const head = fields([
    ['Name', formatName(set)],
    ['Project', set.project],
    ['Applications', String(applications)],
    ['Leaving', leaving ? String(leaving) : undefined],
    ['Held', held ? `${held}: muster appset approve-deletions ${formatName(set)}` : undefined],
    ['Release', release && `#${release.number}, ${release.cause}, ${age(release.at, now)} ago`],
    ['Deleting', set.deleting ? 'yes' : undefined],
  ]);
  const lines = conditions.map(
    ({ type, status, reason, message }) => `  ${type}=${status} ${reason}: ${message}`,
  );
  return lines.length > 0 ? `${head}\nConditions:\n${lines.join('\n')}` : head;
}
