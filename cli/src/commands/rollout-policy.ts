import type { RolloutPolicyView } from '@muster/api';
import type { Command } from 'commander';
import { group, type Host, verb } from '../host.ts';
import { age, fields, inUsualOrder, printList, printOne } from '../output.ts';

export function rolloutPolicyCommands(rollout: Command, host: Host): void {
  const policy = group(rollout, 'policy', 'RolloutPolicies: how releases move through the fleet', [
    'policies',
  ]);
  verb(policy, 'list', {
    summary: 'List RolloutPolicies',
    examples: ['muster rollout policy list'],
    output: true,
  }).action(
    host.run(async (context) => {
      const { items } = await context.client().rollouts.policies();
      printList<RolloutPolicyView>(
        context.terminal,
        context.format,
        items,
        {
          name: ({ name }) => name,
          columns: [
            { title: 'NAME', value: ({ name }) => name },
            { title: 'STAGES', value: ({ stages }) => stages.join(' → ') },
            { title: 'SELECTS', value: ({ selects }) => selects || 'who names it' },
            { title: 'SUPERSEDING', value: ({ superseding }) => superseding, wide: true },
            { title: 'CHANGED', value: ({ updatedAt }) => `${age(updatedAt, context.now())} ago` },
            { title: 'BY', value: ({ updatedBy }) => updatedBy, wide: true },
          ],
        },
        'No RolloutPolicies: muster apply -f policy.yaml (kind RolloutPolicy, apiVersion muster.dev/v1alpha1)',
      );
    }),
  );
  verb(policy, 'get <name>', {
    summary: 'Show a RolloutPolicy; -o yaml: as it was applied',
    examples: ['muster rollout policy get careful -o yaml'],
    output: true,
  }).action(
    host.run(async (context, name: string) => {
      const found = await context.client().rollouts.policy(name);
      const machine = context.format === 'json' || context.format === 'yaml';
      printOne(
        context.terminal,
        context.format,
        machine ? found.manifest && inUsualOrder(found.manifest) : found,
        found.name,
        () =>
          fields([
            ['Name', found.name],
            ['Stages', found.stages.join(' → ')],
            ['Selects', found.selects || 'ApplicationSets that name it'],
            ['Superseding', found.superseding],
            ['Changed', `${age(found.updatedAt, context.now())} ago by ${found.updatedBy}`],
          ]),
      );
    }),
  );
  verb(policy, 'delete <name>', {
    summary: 'Delete a RolloutPolicy; what is on its way goes on by it',
    examples: ['muster rollout policy delete careful'],
  }).action(
    host.run(async (context, name: string) => {
      await context.client().rollouts.removePolicy(name);
      context.terminal.out(`rolloutpolicy/${name} deleted`);
    }),
  );
}
