import type { WindowView } from '@muster/api';
import type { Command } from 'commander';
import { type Context, type Host, verb } from '../host.ts';
import { parseName } from '../names.ts';
import { age, printList, printOne, type View } from '../output.ts';

/** `muster app windows`. */
export function appWindowsCommand(app: Command, host: Host): void {
  verb(app, 'windows <name>', {
    summary: 'Show the sync windows that hold for an Application, and what they let begin now',
    examples: ['muster app windows guestbook-prod', 'muster app windows guestbook-prod -o json'],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const { namespace, name } = parseName(given);
      const answer = await context.client().applications.windows(namespace, name);
      const { terminal, format } = context;
      if (format === 'json' || format === 'yaml') return printOne(terminal, format, answer, given, () => '');
      printWindows(context, answer.items, 'No sync windows hold for it: syncs may begin at any time.');
      for (const [who, decision] of [
        ['by themselves', answer.automated],
        ['by hand', answer.manual],
      ] as const) {
        const until = decision.until ? ` until ${decision.until}` : '';
        if (!decision.allowed) terminal.note(`No sync begins ${who}${until}: ${decision.reason}`);
      }
    }),
  );
}

/** `muster project windows`. */
export function projectWindowsCommand(project: Command, host: Host): void {
  verb(project, 'windows <name>', {
    summary: 'Show the sync windows of a project: which are open, and when they open next',
    examples: ['muster project windows team-a', 'muster project windows team-a -o wide'],
    output: true,
  }).action(
    host.run(async (context, name: string) => {
      const { items } = await context.client().projects.windows(name);
      printWindows(context, items, 'No sync windows.');
    }),
  );
}

function printWindows({ terminal, format, now }: Context, items: WindowView[], empty: string): void {
  const at = now();
  const inTime = (time: string | undefined) =>
    time === undefined ? undefined : age(new Date(2 * at - Date.parse(time)).toISOString(), at);
  const view: View<WindowView> = {
    name: ({ kind, schedule }) => `${kind} ${schedule}`,
    columns: [
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'STATE', value: ({ open, problem }) => (problem ? 'wrong' : open ? 'open' : 'closed') },
      { title: 'SCHEDULE', value: ({ schedule }) => schedule },
      { title: 'ZONE', value: ({ timeZone }) => timeZone },
      { title: 'DURATION', value: ({ duration }) => duration },
      { title: 'CLOSES IN', value: ({ closesAt }) => inTime(closesAt) },
      { title: 'OPENS IN', value: ({ opensAt }) => inTime(opensAt) },
      { title: 'MANUAL', value: ({ manualSync }) => (manualSync ? 'yes' : 'no') },
      { title: 'APPLICATIONS', value: ({ applications }) => applications.join(','), wide: true },
      { title: 'NAMESPACES', value: ({ namespaces }) => namespaces.join(','), wide: true },
      { title: 'CLUSTERS', value: ({ clusters }) => clusters.join(','), wide: true },
      { title: 'NOTE', value: ({ problem, description }) => problem ?? description },
    ],
  };
  printList(terminal, format, items, view, empty);
}
