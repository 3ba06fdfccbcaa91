import type { PluginView } from '@muster/api';
import type { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { type Context, group, type Host, verb } from '../host.ts';
import { age, printList } from '../output.ts';

interface AddOptions {
  url: string;
  token?: string;
  tokenStdin?: true;
  timeout?: string;
}

export function pluginCommands(root: Command, host: Host): void {
  const plugin = group(root, 'plugin', 'Plugins that ApplicationSets ask for parameters', ['plugins']);
  verb(plugin, 'add <name>', {
    summary: 'Register a plugin, or change how it is reached',
    details:
      'NAME is what `configMapRef.name` of a plugin generator says. The hub posts to URL/api/v1/getparams.execute with the token as bearer. The token is encrypted at rest and never shown again.',
    examples: ['muster plugin add my-plugin --url http://my-plugin.tools:8080 --token-stdin < token'],
    ownToken: true,
  })
    .requiredOption('--url <url>', 'its base URL (http or https)')
    .option('--token <token>', 'visible to others on this machine: rather --token-stdin')
    .option('--token-stdin', 'read the token from standard input')
    .option('--timeout <seconds>', 'how long it may take to answer, 1 to 300', '30')
    .action(host.run(add));
  verb(plugin, 'list', {
    summary: 'List plugins',
    examples: ['muster plugin list', 'muster plugin list -o name'],
    output: true,
  }).action(host.run(list));
  verb(plugin, 'remove <name>', {
    summary: 'Forget a plugin and its token; what was made of its answers stays',
    examples: ['muster plugin remove my-plugin'],
  }).action(
    host.run(async (context, name: string) => {
      await context.client().plugins.remove(name);
      context.terminal.out(`plugin/${name} removed`);
    }),
  );
}

async function add(context: Context, name: string, options: AddOptions): Promise<void> {
  const { terminal } = context;
  if (options.token !== undefined && options.tokenStdin)
    throw new UsageError('--token and --token-stdin exclude each other');
  const token = options.tokenStdin ? (await terminal.stdin()).replace(/\r?\n$/, '') : options.token;
  if (!token) throw new UsageError('a token is needed: --token-stdin');
  const timeoutSeconds = Number(options.timeout ?? 30);
  if (!Number.isInteger(timeoutSeconds)) throw new UsageError('--timeout takes whole seconds');
  const added = await context.client().plugins.set(name, { baseUrl: options.url, token, timeoutSeconds });
  terminal.out(`plugin/${added.name} added`);
}

async function list(context: Context): Promise<void> {
  const { items } = await context.client().plugins.list();
  printList<PluginView>(
    context.terminal,
    context.format,
    items,
    {
      name: ({ name }) => name,
      columns: [
        { title: 'NAME', value: ({ name }) => name },
        { title: 'URL', value: ({ baseUrl }) => baseUrl },
        { title: 'TIMEOUT', value: ({ timeoutSeconds }) => `${timeoutSeconds} s`, wide: true },
        { title: 'CHANGED', value: ({ updatedAt }) => `${age(updatedAt, context.now())} ago` },
      ],
    },
    'No plugins: muster plugin add NAME --url URL --token-stdin',
  );
}
