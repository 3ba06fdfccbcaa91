import { allItems } from '@muster/api/client';
import { stringify } from '@muster/base';
import type { Command } from 'commander';
import { group, type Host, verb } from '../host.ts';
import { projectWindowsCommand } from './windows.ts';
import { age, inUsualOrder, printList, printOne } from '../output.ts';

export function projectCommands(root: Command, host: Host): void {
  const project = group(root, 'project', 'AppProjects: what Applications may use', ['projects', 'proj']);
  verb(project, 'list', {
    summary: 'List projects',
    examples: ['muster project list'],
    output: true,
  }).action(
    host.run(async (context) => {
      const client = context.client();
      const items = await allItems((after) => client.projects.list({ after }));
      printList(
        context.terminal,
        context.format,
        items,
        {
          name: ({ name }) => name,
          columns: [
            { title: 'NAME', value: ({ name }) => name },
            { title: 'APPLICATIONS', value: ({ applications }) => applications },
            { title: 'CHANGED', value: ({ updatedAt }) => `${age(updatedAt, context.now())} ago` },
          ],
        },
        'No projects.',
      );
    }),
  );
  verb(project, 'get <name>', {
    summary: 'Show a project',
    examples: ['muster project get default', 'muster project get default -o json'],
    output: true,
  }).action(
    host.run(async (context, name: string) => {
      const found = await context.client().projects.get(name);
      printOne(context.terminal, context.format, found, found.name, () =>
        stringify(inUsualOrder(found.manifest)).trimEnd(),
      );
    }),
  );
  projectWindowsCommand(project, host);
  verb(project, 'delete <name>', {
    summary: 'Delete a project that no Application uses',
    examples: ['muster project delete team-a'],
  }).action(
    host.run(async (context, name: string) => {
      await context.client().projects.remove(name);
      context.terminal.out(`appproject/${name} deleted`);
    }),
  );
}
