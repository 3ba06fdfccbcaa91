import type { HubClient } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { type Document, locateProblem, readDocuments } from '../documents.ts';
import { type Context, type Host, verb } from '../host.ts';
import { collectList, DEFAULT_NAMESPACE, formatName } from '../names.ts';
import { printList } from '../output.ts';

interface FileOptions {
  filename: string[];
  recursive?: true;
}

export function applyCommands(root: Command, host: Host): void {
  verb(root, 'apply', {
    summary: 'Create or change ApplicationSets, Applications, AppProjects, RolloutPolicies and Promotions',
    details:
      'Takes any mix of argoproj.io/v1alpha1 documents as Argo CD users have them, and of muster.dev/v1alpha1. All or nothing: when one is refused, none is applied.',
    examples: [
      'muster apply -f applicationset.yaml',
      'muster apply -R -f fleet/ --dry-run',
      'kubectl get appsets -n argocd -o yaml | muster apply -f -',
    ],
    output: true,
  })
    .requiredOption('-f, --filename <file>', 'file, folder or - (repeatable)', collectList)
    .option('-R, --recursive', 'folders with their subfolders')
    .option('--dry-run', 'check and show what would change, and change nothing')
    .action(host.run(apply));

  verb(root, 'delete', {
    summary: 'Delete what the documents of files name',
    examples: ['muster delete -f applicationset.yaml'],
  })
    .requiredOption('-f, --filename <file>', 'file, folder or - (repeatable)', collectList)
    .option('-R, --recursive', 'folders with their subfolders')
    .option('--ignore-not-found', 'what does not exist is no error')
    .action(host.run(remove));
}

async function apply(context: Context, options: FileOptions & { dryRun?: true }): Promise<void> {
  const { terminal, format } = context;
  const client = context.client();
  const documents = await readDocuments(options.filename, { recursive: options.recursive, terminal });
  const answer = await client
    .apply({ documents: documents.map(({ value }) => value), dryRun: options.dryRun ?? false })
    .catch((thrown: unknown) => {
      throw locateProblem(MusterError.from(thrown), documents);
    });
  const name = (each: (typeof answer.results)[number]) =>
    `${each.kind.toLowerCase()}/${each.namespace === '' || each.kind === 'AppProject' ? each.name : formatName(each)}`;
  if (context.formatGiven) {
    printList(terminal, format, answer.results, {
      name,
      columns: [
        { title: 'KIND', value: ({ kind }) => kind },
        { title: 'NAMESPACE', value: ({ namespace }) => namespace },
        { title: 'NAME', value: (each) => each.name },
        { title: 'RESULT', value: ({ result }) => result },
      ],
    });
  } else {
    const suffix = answer.dryRun ? ' (dry run)' : '';
    for (const each of answer.results) terminal.out(`${name(each)} ${each.result}${suffix}`);
  }
  for (const each of answer.results) {
    for (const { type, message } of each.conditions) {
      terminal.note(`warning: ${name(each)}: ${type}: ${message}`);
    }
  }
}

async function remove(context: Context, options: FileOptions & { ignoreNotFound?: true }): Promise<void> {
  const { terminal } = context;
  const client = context.client();
  const documents = await readDocuments(options.filename, { recursive: options.recursive, terminal });
  // Projects last: Applications refer to them.
  const order = (document: Document) => (document.value['kind'] === 'AppProject' ? 1 : 0);
  for (const document of documents.sort((a, b) => order(a) - order(b))) {
    const shown = await removeOne(client, document).catch((thrown: unknown) => {
      const error = MusterError.from(thrown);
      if (options.ignoreNotFound && error.code === 'not-found') return undefined;
      throw new MusterError(error.code, error.message, { where: document.where, hint: error.hint });
    });
    if (shown) terminal.out(`${shown} deleted`);
  }
}

async function removeOne(client: HubClient, { value, where }: Document): Promise<string> {
  const metadata = (value['metadata'] ?? {}) as { namespace?: string; name?: string };
  const { namespace = DEFAULT_NAMESPACE, name } = metadata;
  if (typeof name !== 'string' || name === '')
    throw new MusterError('invalid', 'metadata.name is missing', { where });
  switch (value['kind']) {
    case 'Application':
      await client.applications.remove(namespace, name);
      return `application/${namespace}/${name}`;
    case 'ApplicationSet':
      await client.applicationSets.remove(namespace, name);
      return `applicationset/${namespace}/${name}`;
    case 'AppProject':
      await client.projects.remove(name);
      return `appproject/${name}`;
    case 'RolloutPolicy':
      await client.rollouts.removePolicy(name);
      return `rolloutpolicy/${name}`;
    case 'Promotion':
      await client.promotions.remove(name);
      return `promotion/${name}`;
    case 'ConfigMap':
      if (name === 'argocd-cm') {
        await client.settings.remove();
        return `configmap/${name}`;
      }
      throw new MusterError('unsupported', 'a hub holds no ConfigMap but argocd-cm', { where });
    default:
      throw new MusterError('unsupported', `a hub holds no ${String(value['kind'])}`, { where });
  }
}
