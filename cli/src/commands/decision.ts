import type { DecisionView } from '@muster/api';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { locateProblem, readDocuments } from '../documents.ts';
import { UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { collectList } from '../names.ts';
import { age, printList } from '../output.ts';

export function decisionCommands(root: Command, host: Host): void {
  const decision = group(root, 'decision', 'Decisions on clusters that ApplicationSets follow', [
    'decisions',
  ]);
  verb(decision, 'apply', {
    summary: 'Hand the hub what the clusterDecisionResource generator reads',
    details:
      'Takes the ConfigMaps that `configMapRef` names and the resources that they speak of, as `kubectl get -o yaml` writes them; of a resource only name, labels and status are kept. What is there under the same name is replaced, the rest stays.',
    examples: [
      'muster decision apply -f configmap.yaml -f decisions.yaml',
      'kubectl -n argocd get placementdecisions -o yaml | muster decision apply -f -',
    ],
  })
    .requiredOption('-f, --filename <file>', 'documents: file, folder or - (repeatable)', collectList)
    .action(host.run(apply));
  verb(decision, 'list', {
    summary: 'List what the hub was handed',
    examples: ['muster decision list'],
    output: true,
  }).action(host.run(list));
  verb(decision, 'remove <resource/name>', {
    summary: 'Take one of them away',
    examples: ['muster decision remove placementdecisions/prod-1', 'muster decision remove configmaps/ocm'],
  }).action(host.run(remove));
}

async function apply(context: Context, { filename }: { filename: string[] }): Promise<void> {
  const documents = await readDocuments(filename, { terminal: context.terminal });
  const values = documents.map(({ value }) => value);
  const { items } = await context
    .client()
    .decisions.apply({ documents: values })
    .catch((thrown: unknown) => {
      throw locateProblem(MusterError.from(thrown), documents);
    });
  for (const { resource, name, result } of items) context.terminal.out(`${resource}/${name} ${result}`);
}

async function list(context: Context): Promise<void> {
  const { items } = await context.client().decisions.list();
  printList<DecisionView>(
    context.terminal,
    context.format,
    items,
    {
      name: ({ resource, name }) => `${resource}/${name}`,
      columns: [
        { title: 'NAME', value: ({ resource, name }) => `${resource}/${name}` },
        { title: 'APIVERSION', value: ({ apiVersion }) => apiVersion },
        { title: 'CHANGED', value: ({ updatedAt }) => `${age(updatedAt, context.now())} ago` },
      ],
    },
    'No decisions: muster decision apply -f FILE',
  );
}

async function remove(context: Context, given: string): Promise<void> {
  const [resource, name] = given.split('/');
  if (!resource || !name) throw new UsageError(`${given} is not RESOURCE/NAME: see muster decision list`);
  const client = context.client();
  const found = (await client.decisions.list()).items.filter(
    (one) => one.resource === resource && one.name === name,
  );
  if (found.length === 0)
    throw new MusterError('not-found', `there is no ${given}`, { hint: 'muster decision list' });
  for (const { apiVersion } of found) {
    await client.decisions.remove({ apiVersion, resource, name });
    context.terminal.out(`${given} of ${apiVersion} removed`);
  }
}
