import type { CreatedJoinToken } from '@muster/api';
import { allItems } from '@muster/api/client';
import type { Command } from 'commander';
import { type Context, group, type Host, verb } from '../host.ts';
import { collectPair, parseDuration } from '../names.ts';
import { age, fields, labelText, printList, printOne } from '../output.ts';

interface CreateOptions {
  name: string;
  label?: Record<string, string>;
  annotation?: Record<string, string>;
  server?: string;
  local?: true;
  autoApprove?: true;
  uses: number;
  expires: number;
}

export function joinTokenCommands(cluster: Command, host: Host): void {
  const token = group(cluster, 'join-token', 'Tokens that let clusters join', ['join-tokens']);
  verb(token, 'create', {
    summary: 'Make a token and print what to run in the cluster',
    details: 'The token is shown once. Labels are what ApplicationSets select the cluster by.',
    examples: [
      'muster cluster join-token create --name prod-eu-1 --label env=prod --label region=eu',
      'muster cluster join-token create --name dev-1 --auto-approve --expires 10m',
    ],
    output: true,
  })
    .requiredOption('--name <cluster>', 'the cluster that may join with it')
    .option('--label <key=value>', 'a label of the cluster (repeatable)', collectPair)
    .option('--annotation <key=value>', 'an annotation of the cluster (repeatable)', collectPair)
    .option('--server <url>', 'what Applications may name it by (default: muster://NAME)')
    .option('--local', 'the cluster that the hub itself runs in')
    .option('--auto-approve', 'whoever has the token joins without an approval')
    .option('--uses <n>', 'how often it may be used', Number, 1)
    .option('--expires <duration>', 'how long it is valid', parseDuration, 86_400)
    .action(host.run(create));
  verb(token, 'list', {
    summary: 'List tokens (never their secrets)',
    examples: ['muster cluster join-token list'],
    output: true,
  }).action(host.run(list));
  verb(token, 'revoke <id>', {
    summary: 'Revoke a token',
    examples: ['muster cluster join-token revoke 0199f7d2-…'],
  }).action(
    host.run(async (context, id: string) => {
      await context.client().joinTokens.revoke(id);
      context.terminal.out(`join-token/${id} revoked`);
    }),
  );
}

async function create(context: Context, options: CreateOptions): Promise<void> {
  const { name, label = {}, annotation = {}, server, local, autoApprove, uses, expires } = options;
  const created = await context.client().joinTokens.create({
    name,
    labels: label,
    annotations: annotation,
    server,
    local: local ?? false,
    autoApprove: autoApprove ?? false,
    maxUses: uses,
    expiresInSeconds: expires,
  });
  const { terminal, format } = context;
  if (format === 'name') return terminal.out(created.id);
  printOne(terminal, format, created, created.id, () => installText(created));
}

/** The command to run; without one the reason, and the values to use once the reason is gone. */
export function installText({ name, autoApprove, expiresAt, token, install }: CreatedJoinToken): string {
  const after = autoApprove
    ? `${name} joins without an approval.`
    : `${name} then shows up as pending: muster cluster approve ${name}`;
  if (install.command) {
    return `# Run this in ${name} before ${expiresAt}. ${after}\n${install.command}`;
  }
  return [
    `No install command: ${install.reason ?? `the hub lacks ${install.missing.join(', ')}`}.`,
    `The token is valid until ${expiresAt}. ${after}`,
    fields([['token', token], ...Object.entries(install.values).filter(([key]) => key !== 'token')], '  '),
  ].join('\n');
}

async function list(context: Context): Promise<void> {
  const client = context.client();
  const items = await allItems((after) => client.joinTokens.list({ after }));
  const now = context.now();
  printList(
    context.terminal,
    context.format,
    items,
    {
      name: ({ id }) => id,
      columns: [
        { title: 'ID', value: ({ id }) => id },
        { title: 'CLUSTER', value: ({ name }) => name },
        { title: 'USES', value: ({ uses, maxUses }) => `${uses}/${maxUses}` },
        {
          title: 'VALID',
          value: ({ expiresAt, revokedAt }) => {
            if (revokedAt) return 'revoked';
            const left = new Date(expiresAt).getTime() - now;
            return left > 0 ? age(now - left, now) : 'expired';
          },
        },
        { title: 'APPROVAL', value: ({ autoApprove }) => (autoApprove ? 'automatic' : 'by hand') },
        { title: 'LABELS', value: ({ labels }) => labelText(labels) },
        { title: 'BY', value: ({ createdBy }) => createdBy, wide: true },
        { title: 'AGE', value: ({ createdAt }) => age(createdAt, now), wide: true },
      ],
    },
    'No join tokens.',
  );
}
