import type { Role } from '@muster/api';
import { allItems } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { collectList, parseDuration } from '../names.ts';
import { age, printList, printOne } from '../output.ts';
import { type PasswordOptions, createToken } from './login.ts';

export function accessCommands(root: Command, host: Host): void {
  userCommands(root, host);
  groupCommands(root, host);
  roleCommands(root, host);
  tokenCommands(root, host);
}

/** A new password from standard input, else asked for twice. */
async function newPassword({ terminal }: Context, fromStdin: boolean): Promise<string> {
  if (fromStdin) return (await terminal.stdin()).replace(/\r?\n$/, '');
  if (!terminal.interactive) throw new UsageError('--password-stdin is needed, nobody is here to ask');
  const password = await terminal.ask('New password: ', { hidden: true });
  if ((await terminal.ask('Again: ', { hidden: true })) !== password) {
    throw new MusterError('invalid', 'the passwords differ');
  }
  return password;
}

function userCommands(root: Command, host: Host): void {
  const user = group(root, 'user', 'Users of the hub', ['users']);
  verb(user, 'list', { summary: 'List users', examples: ['muster user list'], output: true }).action(
    host.run(async (context) => {
      const client = context.client();
      const items = await allItems((after) => client.users.list({ after }));
      printList(context.terminal, context.format, items, {
        name: ({ name }) => name,
        columns: [
          { title: 'NAME', value: ({ name }) => name },
          { title: 'GROUPS', value: ({ groups }) => groups.join(',') },
          { title: 'STATE', value: ({ disabled }) => (disabled ? 'disabled' : 'active') },
          { title: 'AGE', value: ({ createdAt }) => age(createdAt, context.now()) },
        ],
      });
    }),
  );
  verb(user, 'create <name>', {
    summary: 'Make a user, who may do nothing until given a role',
    examples: ['muster user create ana --password-stdin < password', 'muster role grant operator --user ana'],
  })
    .option('--password-stdin', 'read the password from standard input')
    .action(
      host.run(async (context, name: string, { passwordStdin }: { passwordStdin?: true }) => {
        const client = context.client();
        await client.users.create({ name, password: await newPassword(context, passwordStdin ?? false) });
        context.terminal.out(`user/${name} created`);
      }),
    );
  verb(user, 'set-password [name]', {
    summary: 'Change a password: your own, or as an administrator that of another',
    examples: ['muster user set-password', 'muster user set-password ana --password-stdin < password'],
  })
    .option('--password-stdin', 'read the new password from standard input (another user only)')
    .action(
      host.run(async (context, name: string | undefined, { passwordStdin }: { passwordStdin?: true }) => {
        const client = context.client();
        if (name === undefined) {
          if (!context.terminal.interactive)
            throw new UsageError('your own password is asked for, and nobody is here');
          const current = await context.terminal.ask('Current password: ', { hidden: true });
          await client.session.changePassword({ current, password: await newPassword(context, false) });
        } else {
          await client.users.change(name, { password: await newPassword(context, passwordStdin ?? false) });
        }
        context.terminal.out(name === undefined ? 'password changed' : `user/${name} password changed`);
      }),
    );
  for (const [act, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    verb(user, `${act} <name>`, {
      summary: disabled ? 'Lock a user out' : 'Let a user in again',
      examples: [`muster user ${act} ana`],
    }).action(
      host.run(async (context, name: string) => {
        await context.client().users.change(name, { disabled });
        context.terminal.out(`user/${name} ${act}d`);
      }),
    );
  }
  verb(user, 'delete <name>', {
    summary: 'Delete a user with all tokens',
    examples: ['muster user delete ana'],
  }).action(
    host.run(async (context, name: string) => {
      await context.client().users.remove(name);
      context.terminal.out(`user/${name} deleted`);
    }),
  );
}

function groupCommands(root: Command, host: Host): void {
  const groups = group(root, 'group', 'Groups of users', ['groups']);
  verb(groups, 'list', { summary: 'List groups', examples: ['muster group list'], output: true }).action(
    host.run(async (context) => {
      const client = context.client();
      const items = await allItems((after) => client.groups.list({ after }));
      printList(context.terminal, context.format, items, {
        name: ({ name }) => name,
        columns: [
          { title: 'NAME', value: ({ name }) => name },
          { title: 'MEMBERS', value: ({ members }) => members.join(',') },
        ],
      });
    }),
  );
  verb(groups, 'create <name>', {
    summary: 'Make a group',
    examples: ['muster group create ops --members ana,ben'],
  })
    .option('--members <names>', 'users, separated by commas', collectList)
    .action(
      host.run(async (context, name: string, { members = [] }: { members?: string[] }) => {
        await context.client().groups.create({ name, members });
        context.terminal.out(`group/${name} created`);
      }),
    );
  verb(groups, 'set-members <name> [members...]', {
    summary: 'Say who is in a group, and nobody else',
    examples: ['muster group set-members ops ana ben'],
  }).action(
    host.run(async (context, name: string, members: string[]) => {
      await context.client().groups.change(name, { members });
      context.terminal.out(`group/${name} changed`);
    }),
  );
  verb(groups, 'delete <name>', { summary: 'Delete a group', examples: ['muster group delete ops'] }).action(
    host.run(async (context, name: string) => {
      await context.client().groups.remove(name);
      context.terminal.out(`group/${name} deleted`);
    }),
  );
}

function roleCommands(root: Command, host: Host): void {
  const role = group(root, 'role', 'Who may do what: viewer, operator, approver, admin', ['roles']);
  verb(role, 'list', {
    summary: 'List what was granted',
    examples: ['muster role list'],
    output: true,
  }).action(
    host.run(async (context) => {
      const client = context.client();
      const items = await allItems((after) => client.roleBindings.list({ after }));
      printList(context.terminal, context.format, items, {
        name: ({ id }) => id,
        columns: [
          { title: 'ID', value: ({ id }) => id },
          { title: 'WHO', value: (each) => (each.user ? `user ${each.user}` : `group ${each.group}`) },
          { title: 'ROLE', value: (each) => each.role },
          { title: 'PROJECT', value: ({ project }) => project },
        ],
      });
    }),
  );
  verb(role, 'grant <role>', {
    summary: 'Give a role to a user or a group, for a project or for all',
    examples: [
      'muster role grant operator --user ana --project team-a',
      'muster role grant admin --group ops',
    ],
  })
    .option('--user <name>', 'to this user')
    .option('--group <name>', 'to this group')
    .option('--project <name>', 'in this project', '*')
    .action(
      host.run(async (context, name: Role, options: { user?: string; group?: string; project: string }) => {
        const { user, group: team, project } = options;
        if ((user === undefined) === (team === undefined)) throw new UsageError('either --user or --group');
        const { id } = await context.client().roleBindings.create({ role: name, user, group: team, project });
        context.terminal.out(`role/${id} granted`);
      }),
    );
  verb(role, 'revoke <id>', {
    summary: 'Take a grant back',
    examples: ['muster role revoke 0199f7d2-…'],
  }).action(
    host.run(async (context, id: string) => {
      await context.client().roleBindings.remove(id);
      context.terminal.out(`role/${id} revoked`);
    }),
  );
}

interface TokenOptions extends PasswordOptions {
  role?: Role;
  project?: string;
  expires?: number;
}

function tokenCommands(root: Command, host: Host): void {
  const token = group(root, 'token', 'API tokens for programs', ['tokens']);
  verb(token, 'list', {
    summary: 'List your tokens',
    examples: ['muster token list', 'muster token list --all'],
    output: true,
  })
    .option('--all', 'those of everybody (administrators)')
    .action(
      host.run(async (context, { all }: { all?: true }) => {
        const client = context.client();
        const items = await allItems((after) => client.tokens.list({ all, after }));
        const now = context.now();
        printList(context.terminal, context.format, items, {
          name: ({ id }) => id,
          columns: [
            { title: 'ID', value: ({ id }) => id },
            { title: 'NAME', value: ({ name }) => name },
            { title: 'USER', value: ({ user }) => user },
            { title: 'ROLE', value: (each) => each.role ?? 'of its user' },
            { title: 'PROJECT', value: ({ project }) => project ?? '*' },
            { title: 'EXPIRES', value: ({ expiresAt }) => expiresAt ?? 'never' },
            {
              title: 'USED',
              value: ({ lastUsedAt }) => (lastUsedAt ? `${age(lastUsedAt, now)} ago` : 'never'),
            },
          ],
        });
      }),
    );
  verb(token, 'create <name>', {
    summary: 'Make a token and print it, once',
    details:
      'A token of your own, which may do what you may or less. It takes your password, as a token (such as the one that `muster login` keeps) cannot make another.',
    examples: [
      'muster token create ci --role operator --project team-a --expires 30d',
      'muster token create ci --username ana --password-stdin < password',
    ],
    output: true,
  })
    .option('-u, --username <name>', 'who you are (default: who is logged in)')
    .option('--password-stdin', 'read the password from standard input (asked for when left out)')
    .option('--role <role>', 'at most this role')
    .option('--project <name>', 'only in this project')
    .option('--expires <duration>', 'how long it is valid', parseDuration)
    .action(
      host.run(async (context, name: string, options: TokenOptions) => {
        const { role, project, expires } = options;
        const { hub, token: current } = context.connection();
        const username =
          options.username ?? (current ? (await context.client().session.get()).name : undefined);
        const who = {
          ...(options.passwordStdin && { passwordStdin: options.passwordStdin }),
          ...(username && { username }),
        };
        const token = { name, role, project, expiresInSeconds: expires };
        const created = await createToken(context, hub, who, token);
        printOne(context.terminal, context.format, created, created.id, () => created.secret);
      }),
    );
  verb(token, 'revoke <id>', {
    summary: 'Revoke a token',
    examples: ['muster token revoke 0199f7d2-…'],
  }).action(
    host.run(async (context, id: string) => {
      await context.client().tokens.remove(id);
      context.terminal.out(`token/${id} revoked`);
    }),
  );
}
