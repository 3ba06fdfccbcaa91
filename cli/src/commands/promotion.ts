import type {
  PromotionChangeView,
  PromotionEnvironmentView,
  PromotionVerb,
  PromotionView,
} from '@muster/api';
import { shortCommit } from '@muster/api/commits';
import type { Command } from 'commander';
import { type Context, group, type Host, verb } from '../host.ts';
import { age, fields, paintState, plain, printList, printOne, table } from '../output.ts';

interface Asked {
  environment?: string;
  reason?: string;
}

export function promotionCommands(root: Command, host: Host): void {
  const promotion = group(
    root,
    'promotion',
    'Promotions: what passed one environment is proposed to the next',
    ['promotions'],
  );
  verb(promotion, 'list', {
    summary: 'List Promotions with what each environment is at',
    examples: ['muster promotion list'],
    output: true,
  }).action(host.run(list));
  verb(promotion, 'get <name>', {
    summary: 'Say what each environment is at, which change is on its way to it, and what that waits for',
    details:
      'Shows each environment with its newest release, the change on its way to it, what that waits for and since when, its pull request, and what happened before.',
    examples: ['muster promotion get web', 'muster promotion get web -o yaml'],
    output: true,
  }).action(
    host.run(async (context, name: string) => {
      const found = await context.client().promotions.get(name);
      printOne(context.terminal, context.format, found, found.name, () => detailText(found, context));
    }),
  );
  asking(promotion, host, 'approve', 'Approve the change that an environment waits for (approvers)');
  asking(promotion, host, 'reject', 'Refuse a change: a newer release asks again (approvers)');
  asking(promotion, host, 'pause', 'Make no more changes until it is resumed');
  asking(promotion, host, 'resume', 'Go on after a pause');
  asking(promotion, host, 'retry', 'Try again what failed, conflicts, was closed or rejected');
  verb(promotion, 'delete <name>', {
    summary: 'Delete a Promotion; pull requests that are open stay so',
    examples: ['muster promotion delete web'],
  }).action(
    host.run(async (context, name: string) => {
      await context.client().promotions.remove(name);
      context.terminal.out(`promotion/${name} deleted`);
    }),
  );
}

function asking(promotion: Command, host: Host, name: PromotionVerb['verb'], summary: string): void {
  const ofOne = name !== 'pause' && name !== 'resume';
  const command = verb(promotion, `${name} <promotion>`, {
    summary,
    examples: [`muster promotion ${name} web ${ofOne ? '--environment prod ' : ''}--reason "…"`],
  }).option('--reason <text>', 'for the audit log');
  if (ofOne) command.option('--environment <name>', 'where several are meant');
  command.action(
    host.run(async (context, given: string, { environment, reason = '' }: Asked) => {
      const after = await context
        .client()
        .promotions.ask(given, { verb: name, reason, ...(environment ? { environment } : {}) });
      context.terminal.out(`promotion/${after.name} ${name}: ${after.paused ? 'paused' : briefly(after)}`);
    }),
  );
}

async function list(context: Context): Promise<void> {
  const { items } = await context.client().promotions.list();
  printList<PromotionView>(
    context.terminal,
    context.format,
    items,
    {
      name: ({ name }) => name,
      columns: [
        { title: 'NAME', value: ({ name }) => name },
        {
          title: 'ENVIRONMENTS',
          value: ({ environments }) => environments.map(({ name }) => name).join(' → '),
        },
        { title: 'STATE', value: (one) => (one.paused ? 'paused' : briefly(one)) },
        { title: 'PROJECT', value: ({ project }) => project },
        { title: 'REPOSITORY', value: ({ repository }) => repository, wide: true },
        { title: 'CHANGED', value: ({ updatedAt }) => `${age(updatedAt, context.now())} ago`, wide: true },
        { title: 'BY', value: ({ updatedBy }) => updatedBy, wide: true },
      ],
    },
    'No Promotions: muster apply -f promotion.yaml (kind Promotion, apiVersion muster.dev/v1alpha1)',
  );
}

/** What is on its way, environment by environment. */
function briefly({ environments }: PromotionView): string {
  const going = environments.flatMap(({ name, current }) =>
    current ? [`${name} ${stateText(current)}`] : [],
  );
  return going.length > 0 ? going.join(', ') : 'nothing is on its way';
}

function stateText({ state, pullRequest }: PromotionChangeView): string {
  return state === 'open' && pullRequest ? `open (#${pullRequest.number})` : state;
}

function detailText(found: PromotionView, context: Context): string {
  const now = context.now();
  const { paused, history = [] } = found;
  const about = fields([
    ['Name', found.name],
    ['Project', found.project],
    ['Repository', found.repository],
    ['Paused', paused && `by ${paused.actor}${paused.reason ? `: ${paused.reason}` : ''}`],
    ['Looked at', found.lookedAt ? `${age(found.lookedAt, now)} ago` : 'not yet'],
  ]);
  const places = table(
    found.environments,
    [
      { title: 'ENVIRONMENT', value: ({ name }) => name },
      { title: 'IS', value: ({ passed }) => (passed ? 'passed' : 'not yet') },
      { title: 'FOR', value: ({ passedAt }) => age(passedAt, now) },
      { title: 'OF', value: ({ owner }) => owner },
      { title: 'PLACE', value: ({ branch, path }) => (path ? `${branch}:${path}` : branch) },
      { title: 'CHANGED BY', value: ({ change, mode }) => change && `${change}, ${mode}` },
    ],
    context.terminal.colour,
  );
  const lines = found.environments.flatMap((one) => environmentLines(one, now));
  const past = history.filter(({ endedAt }) => endedAt !== undefined).slice(0, 10);
  return [
    about,
    '',
    places,
    '',
    ...lines,
    ...(past.length > 0 ? ['', historyTable(past, context)] : []),
  ].join('\n');
}

function environmentLines({ name, standing, current }: PromotionEnvironmentView, now: number): string[] {
  const lines = [`${name}: ${standing}`];
  if (current) {
    const { state, since, why, release, commit, pullRequest, approvals, retryAt } = current;
    const again = retryAt ? `; tried again in ${age(now, new Date(retryAt).getTime())}` : '';
    const what = state === 'waiting' ? `waits for ${why || 'its turn'}` : `${state}: ${why}`;
    lines.push(`  release ${release} (${shortCommit(commit)}) ${what}, since ${age(since, now)}${again}`);
    if (pullRequest) lines.push(`  ${pullRequest.url}`);
    for (const given of approvals)
      lines.push(
        `  approved by ${given.actor} ${age(given.at, now)} ago${given.reason ? `: ${given.reason}` : ''}`,
      );
  }
  return lines.map(plain).map((line, i) => (i === 0 ? line : `  ${line.trimStart()}`));
}

function historyTable(past: readonly PromotionChangeView[], context: Context): string {
  return table(
    past,
    [
      { title: 'ENDED', value: ({ endedAt }) => `${age(endedAt, context.now())} ago` },
      { title: 'ENVIRONMENT', value: ({ environment }) => environment },
      { title: 'RELEASE', value: ({ release }) => release },
      { title: 'STATE', value: ({ state }) => state, paint: paintState },
      { title: 'WHY', value: ({ why }) => why },
    ],
    context.terminal.colour,
  );
}
