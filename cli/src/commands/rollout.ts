import type { RolloutDetail, RolloutReplay, RolloutTargetView, RolloutVerb, RolloutView } from '@muster/api';
import { type HubClient, allItems } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { collectList, formatName, parseName } from '../names.ts';
import { age, fields, paintState, plain, printList, printOne, table } from '../output.ts';
import { gateTable, gatesOf, measurementLines, missingApprovals } from './rollout-gates.ts';
import { rolloutPolicyCommands } from './rollout-policy.ts';
import { watchRollout } from './rollout-watch.ts';

const WHICH = 'ROLLOUT is its id, or the name of an ApplicationSet or Application: then the newest of it.';

interface Why {
  reason?: string;
}

export function rolloutCommands(root: Command, host: Host): void {
  const rollout = group(root, 'rollout', 'Rollouts: releases on their way through the fleet', ['rollouts']);
  verb(rollout, 'list', {
    summary: 'List rollouts, newest first',
    examples: ['muster rollout list --open', 'muster rollout list --of web -o wide'],
    output: true,
  })
    .option('--open', 'only those that have not ended')
    .option('--of <name>', 'of one ApplicationSet or Application')
    .action(host.run(list));
  verb(rollout, 'get <rollout>', {
    summary: 'Say where a rollout is: its stage, who is done, who is waited for and why, what comes next',
    details: WHICH,
    examples: ['muster rollout get web', 'muster rollout get web -o yaml'],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const found = await context.client().rollouts.get(await idOf(context, given));
      printOne(context.terminal, context.format, found, found.id, () => detailText(found, context));
    }),
  );
  verb(rollout, 'watch <rollout>', {
    summary: 'Follow a rollout until it has ended',
    details: `${WHICH} Ends with 0 when it is complete, with 1 when it has failed, was taken back or ended by hand.`,
    examples: ['muster rollout watch web'],
  }).action(host.run(async (context, given: string) => watchRollout(context, await idOf(context, given))));
  verbs(rollout, host);
  verb(rollout, 'replay <rollout>', {
    summary: 'Show how a rollout came about, deciding everything again',
    details: WHICH,
    examples: ['muster rollout replay web', 'muster rollout replay web -o json'],
    output: true,
  }).action(
    host.run(async (context, given: string) => {
      const found = await wholeReplay(context.client(), await idOf(context, given));
      printOne(context.terminal, context.format, found, found.id, () => replayText(found));
      return found.same ? 0 : 1;
    }),
  );
  rolloutPolicyCommands(rollout, host);
}

function verbs(rollout: Command, host: Host): void {
  simple(rollout, host, 'pause', 'Start nothing more until it is resumed');
  simple(rollout, host, 'resume', 'Go on after a pause');
  gate(rollout, host, 'approve', 'Approve what a gate asks for (approvers)');
  gate(rollout, host, 'reject', 'Refuse what a gate asks for: its stage fails (approvers)');
  const skip = asking(rollout, 'skip', 'Pass over a target, a gate, or all that still waits in a stage', [
    'muster rollout skip web --target argocd/web-eu@eu --reason "under repair"',
    'muster rollout skip web --stage canary --gate metrics --reason "Prometheus is away"',
  ]);
  skip
    .option('--target <id>', 'a target, as `muster rollout get` names it')
    .option('--stage <name>', 'a stage')
    .option('--gate <name>', 'a gate of the stage')
    .action(
      host.run((context, given: string, o: Why & { target?: string; stage?: string; gate?: string }) =>
        ask(context, given, { verb: 'skip', target: o.target, stage: o.stage, gate: o.gate, ...why(o) }),
      ),
    );
  asking(rollout, 'retry', 'Try again what failed; a release that was taken back is rolled out anew', [
    'muster rollout retry web --reason "the registry was down"',
  ])
    .option('--target <id>', 'only this target (repeatable)', collectList)
    .action(
      host.run((context, given: string, o: Why & { target?: string[] }) =>
        ask(context, given, { verb: 'retry', ...(o.target ? { targets: o.target } : {}), ...why(o) }),
      ),
    );
  asking(rollout, 'start', 'Start targets that no stage starts by itself', [
    'muster rollout start web --target argocd/web-lab@lab',
  ])
    .requiredOption('--target <id>', 'a target (repeatable)', collectList)
    .action(
      host.run((context, given: string, o: Why & { target: string[] }) =>
        ask(context, given, { verb: 'start', targets: o.target, ...why(o) }),
      ),
    );
  simple(
    rollout,
    host,
    'abort',
    'End it where it is: what has the release keeps it, the rest keeps what it has',
  );
  asking(rollout, 'undo', 'Take everything back that a rollout touched, or roll an earlier release out', [
    'muster rollout undo web --reason "errors in checkout"',
    'muster rollout undo web --to 41',
  ])
    .option('--to <release>', 'number of a release, once the rollout has ended')
    .action(
      host.run((context, given: string, o: Why & { to?: string }) =>
        ask(context, given, {
          verb: 'undo',
          ...(o.to === undefined ? {} : { to: releaseNumber(o.to) }),
          ...why(o),
        }),
      ),
    );
}

function asking(rollout: Command, name: string, summary: string, examples: string[]): Command {
  return verb(rollout, `${name} <rollout>`, { summary, details: WHICH, examples }).option(
    '--reason <text>',
    'for the audit log and the history',
  );
}

function simple(rollout: Command, host: Host, name: 'pause' | 'resume' | 'abort', summary: string): void {
  asking(rollout, name, summary, [`muster rollout ${name} web --reason "…"`]).action(
    host.run((context, given: string, o: Why) => ask(context, given, { verb: name, ...why(o) })),
  );
}

function gate(rollout: Command, host: Host, name: 'approve' | 'reject', summary: string): void {
  asking(rollout, name, summary, [
    `muster rollout ${name} web --reason "looks ${name === 'approve' ? 'good' : 'bad'}"`,
    `muster rollout ${name} web --stage prod --gate sign-off`,
  ])
    .option('--stage <name>', 'where several gates ask')
    .option('--gate <name>', 'where several gates ask')
    .action(
      host.run((context, given: string, o: Why & { stage?: string; gate?: string }) =>
        ask(context, given, { verb: name, stage: o.stage, gate: o.gate, ...why(o) }),
      ),
    );
}

function why({ reason = '' }: Why): { reason: string } {
  return { reason };
}

function releaseNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new UsageError('--to takes the number of a release: muster app history shows them');
}

async function ask(context: Context, given: string, asked: RolloutVerb): Promise<void> {
  const id = await idOf(context, given);
  const after = await context.client().rollouts.ask(id, asked);
  context.terminal.out(`rollout/${after.id} ${asked.verb}: ${after.owner} is ${phaseText(after)}`);
  if (asked.verb !== 'approve') return;
  for (const line of missingApprovals(await context.client().rollouts.get(after.id, { targets: 0 })))
    context.terminal.out(line);
}

async function list(context: Context, { open, of }: { open?: true; of?: string }): Promise<void> {
  const owner = of === undefined ? {} : { owner: formatName(parseName(of)) };
  const { rollouts } = context.client();
  const items = await allItems(
    (after) => rollouts.list({ open: open === true, ...owner, limit: 200, ...(after ? { after } : {}) }),
    1000,
  );
  printList<RolloutView>(
    context.terminal,
    context.format,
    items,
    {
      name: ({ id }) => id,
      columns: [
        { title: 'OF', value: ({ owner: name }) => name },
        { title: 'RELEASE', value: ({ to }) => to.label },
        { title: 'PHASE', value: phaseText, paint: paintState },
        {
          title: 'STAGE',
          value: ({ stage, stages }) => stage && `${stage} (${stages.indexOf(stage) + 1}/${stages.length})`,
        },
        { title: 'POLICY', value: ({ policy }) => policy },
        { title: 'AGE', value: ({ createdAt }) => age(createdAt, context.now()) },
        { title: 'FROM', value: ({ from }) => from?.label, wide: true },
        { title: 'FAILURE', value: ({ failure }) => failure, wide: true },
        { title: 'ID', value: ({ id }) => id, wide: true },
      ],
    },
    open
      ? 'Nothing is on its way.'
      : 'No rollouts: apply a RolloutPolicy, and name it on an ApplicationSet with the annotation muster.dev/rollout-policy',
  );
}

/** An id as it is; else the newest rollout of what is called so. */
export async function idOf(context: Context, given: string): Promise<string> {
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(given)) return given;
  const owner = formatName(parseName(given));
  const { items } = await context.client().rollouts.list({ owner, limit: 1 });
  const [newest] = items;
  if (!newest)
    throw new MusterError('not-found', `there is no rollout of ${owner}`, { hint: 'muster rollout list' });
  return newest.id;
}

function phaseText({ phase, paused }: RolloutView): string {
  return paused ? `${phase}, paused` : phase;
}

function detailText(found: RolloutDetail, context: Context): string {
  const now = context.now();
  const about = fields([
    ['Of', `${found.owner}${found.project ? ` (project ${found.project})` : ''}`],
    ['Release', found.to.label],
    ['From', found.from?.label],
    ['Policy', found.policy],
    ['Phase', phaseText(found)],
    ['Failure', found.failure],
    ['Since', `${age(found.createdAt, now)} ago`],
    ['Id', found.id],
  ]);
  const stages = table(
    found.progress,
    [
      { title: 'STAGE', value: ({ name }) => name },
      { title: 'IS', value: ({ step }) => step },
      { title: 'DONE', value: ({ done, size }) => `${done}/${size}` },
      {
        title: 'TARGETS',
        value: ({ states }) =>
          Object.entries(states)
            .map(([state, count]) => `${count} ${state}`)
            .join(', '),
      },
    ],
    context.terminal.colour,
  );
  const shown =
    context.format === 'wide'
      ? found.targets
      : found.targets.filter(({ state }) => state !== 'done').slice(0, 20);
  const gates = gatesOf(found);
  return [
    about,
    '',
    ...found.lines.map(plain),
    '',
    stages,
    ...(gates.length > 0 ? ['', gateTable(gates, context)] : []),
    ...(context.format === 'wide' ? measurementLines(gates, context) : []),
    ...(shown.length > 0 ? ['', targetTable(shown, context)] : []),
  ].join('\n');
}

function targetTable(targets: readonly RolloutTargetView[], context: Context): string {
  return table(
    targets,
    [
      { title: 'TARGET', value: ({ id }) => id },
      { title: 'STAGE', value: ({ stage }) => stage },
      { title: 'STATE', value: ({ state }) => state, paint: paintState },
      { title: 'SINCE', value: ({ since }) => age(since, context.now()) },
      {
        title: 'WHY',
        value: ({ note, connected }) => [note, connected ? '' : 'not connected'].filter(Boolean).join('; '),
      },
    ],
    context.terminal.colour,
  );
}

/** With all that happened: what one answer leaves out comes page by page. */
async function wholeReplay(client: HubClient, id: string): Promise<RolloutReplay> {
  const { omitted = 0, ...found } = await client.rollouts.replay(id);
  if (omitted === 0) return found;
  const later: RolloutReplay['transitions'] = [];
  for (let after: string | undefined; later.length < omitted; ) {
    const page = await client.rollouts.log(id, { limit: 1_000, ...(after ? { after } : {}) });
    later.push(...page.items);
    if (!page.next) break;
    after = page.next;
  }
  return { ...found, transitions: [...found.transitions, ...later.slice(0, omitted).toReversed()] };
}

function replayText({ transitions, same, differences, entries }: RolloutReplay): string {
  const lines = transitions.map(({ at, subject, from, to, cause, actor, reason }) =>
    plain(
      `${at}  ${subject}: ${from} → ${to}  (${cause}${actor ? `, by ${actor}${reason ? `: ${reason}` : ''}` : ''})`,
    ),
  );
  const verdict = same
    ? `${entries} steps, decided again: the same`
    : `decided again it differs:\n${differences.map((one) => `  ${plain(one)}`).join('\n')}`;
  return [...lines, verdict].join('\n');
}
