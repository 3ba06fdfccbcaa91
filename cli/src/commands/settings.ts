import { stringify } from '@muster/base';
import type { Command } from 'commander';
import { group, type Host, verb } from '../host.ts';
import { inUsualOrder, printOne } from '../output.ts';

export function settingsCommands(root: Command, host: Host): void {
  const settings = group(
    root,
    'settings',
    'Settings of the whole hub: the resource customizations of an argocd-cm',
  );
  verb(settings, 'get', {
    summary: 'Show the settings',
    details: 'They are written by `muster apply -f argocd-cm.yaml`.',
    examples: ['muster settings get', 'muster settings get -o json'],
    output: true,
  }).action(
    host.run(async (context) => {
      const found = await context.client().settings.get();
      printOne(context.terminal, context.format, found, 'argocd-cm', () =>
        stringify(inUsualOrder(found.manifest)).trimEnd(),
      );
    }),
  );
  verb(settings, 'delete', {
    summary: 'Delete the settings: only the checks and rules of Applications themselves hold then',
    examples: ['muster settings delete'],
  }).action(
    host.run(async (context) => {
      await context.client().settings.remove();
      context.terminal.out('settings/argocd-cm deleted');
    }),
  );
}
