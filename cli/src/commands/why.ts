import type { WhyLink, WhyView } from '@muster/api';
import type { Command } from 'commander';
import { type Host, verb } from '../host.ts';
import { parseTarget } from '../names.ts';
import { age, plain, printOne, table } from '../output.ts';

export function whyCommand(root: Command, host: Host): void {
  verb(root, 'why <target>', {
    summary: 'Say what blocks an Application: window, gate, approval, budget, wave, silence, error',
    details:
      'TARGET is APP, APP@CLUSTER, or an ApplicationSet: then its Applications by what blocks them. What has to happen first comes first, each with the command that ends it and who can. Ends with 0 also where something blocks.',
    examples: [
      'muster why web-eu',
      'muster why web@prod-eu-1   # the one of a set in a cluster',
      'muster why web -o wide     # every example, and what ends it',
      'muster why web -o json',
    ],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const { namespace, name, cluster } = parseTarget(given);
      const found = await context.client().why(namespace, name, cluster === undefined ? {} : { cluster });
      const { terminal, format } = context;
      printOne(terminal, format, found, found.of, () =>
        whyText(found, { now: context.now(), colour: terminal.colour, wide: format === 'wide' }),
      );
    }),
  );
}

type Group = NonNullable<WhyView['targets']>['groups'][number];

/** The chain as people read it. */
export function whyText(
  why: WhyView,
  { now, colour, wide = false }: { now: number; colour: boolean; wide?: boolean },
): string {
  const { kind, of, cluster, links, targets, headline } = why;
  const what = `${kind === 'set' ? 'ApplicationSet ' : ''}${of}${cluster ? ` in ${cluster}` : ''}`;
  const chain = links.map((one, i) => linkText(one, i, now));
  if (!targets) return [`${what}: ${links.length > 0 ? 'blocked' : headline}`, ...chain].join('\n');
  return [
    `${what}: ${headline}`,
    ...chain,
    ...(targets.groups.length > 0 ? ['', groupTable(targets.groups, { now, colour, wide })] : []),
    ...(targets.omitted
      ? [`${targets.omitted.targets} more are blocked by ${targets.omitted.groups} other things.`]
      : []),
    ...(targets.more ? [`Only the first ${targets.total} were looked at.`] : []),
  ].join('\n');
}

function linkText(one: WhyLink, index: number, now: number): string {
  const { kind, text, since, until, ends, command, who } = one;
  const times = [
    since ? `since ${short(since)} (${age(since, now)} ago)` : '',
    until ? `until ${short(until)}${Date.parse(until) > now ? ` (in ${left(until, now)})` : ''}` : '',
  ].filter(Boolean);
  const lines = [
    times.join(', '),
    ends ? `ends with: ${ends}` : '',
    command ? `do: ${command}` : '',
    who ? `who: ${who}` : '',
  ].filter(Boolean);
  const head = `  ${index === 0 ? '' : 'then '}${kind}: ${plain(text)}`;
  return [head, ...lines.map((line) => `      ${plain(line)}`)].join('\n');
}

function groupTable(
  groups: readonly Group[],
  { now, colour, wide }: { now: number; colour: boolean; wide: boolean },
): string {
  return table(
    groups,
    [
      { title: 'TARGETS', value: ({ count }) => count },
      { title: 'BLOCKED BY', value: ({ kind }) => kind },
      { title: 'SINCE', value: ({ since }) => age(since, now) },
      { title: 'WHY', value: ({ text }) => (!wide && text.length > 120 ? `${text.slice(0, 119)}…` : text) },
      {
        title: 'EXAMPLES',
        value: ({ examples, count }) => exampleText(examples.slice(0, wide ? 5 : 2), count),
      },
      ...(wide
        ? [
            { title: 'DO', value: ({ command = '' }: Group) => command },
            { title: 'WHO', value: ({ who = '' }: Group) => who },
          ]
        : []),
    ],
    colour,
  );
}

function exampleText(named: readonly string[], count: number): string {
  const more = count - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function short(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}

function left(until: string, now: number): string {
  return age(new Date(2 * now - Date.parse(until)).toISOString(), now);
}
