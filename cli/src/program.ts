import { MusterError } from '@muster/base';
import { Command, CommanderError } from 'commander';
import { accessCommands } from './commands/access.ts';
import { applyCommands } from './commands/apply.ts';
import { appCommands } from './commands/app.ts';
import { appSetCommands } from './commands/appset.ts';
import { bootstrapCommand } from './commands/bootstrap.ts';
import { clusterCommands } from './commands/cluster.ts';
import { decisionCommands } from './commands/decision.ts';
import { hubCommands } from './commands/hub.ts';
import { loginCommands } from './commands/login.ts';
import { offlineCommands } from './commands/offline.ts';
import { planCommand } from './commands/plan.ts';
import { pluginCommands } from './commands/plugin.ts';
import { projectCommands } from './commands/project.ts';
import { settingsCommands } from './commands/settings.ts';
import { repoCommands } from './commands/repo.ts';
import { promotionCommands } from './commands/promotion.ts';
import { releaseCommands } from './commands/release.ts';
import { rolloutCommands } from './commands/rollout.ts';
import { whyCommand } from './commands/why.ts';
import type { Environment } from './environment.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { connectionOptions, Host } from './host.ts';
import type { Terminal } from './terminal.ts';
import { VERSION } from './version.ts';

/** What the command runs in. */
export interface World {
  terminal: Terminal;
  environment: Environment;
  signal: AbortSignal;
}

/** Runs one command line (without `node` and the script); answers the exit code of exit.ts. Never throws. */
export async function main(args: readonly string[], world: World): Promise<number> {
  const host = new Host(world.terminal, world.environment, world.signal);
  try {
    await createProgram(host).parseAsync([...args], { from: 'user' });
    return host.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (world.signal.aborted) return EXIT.interrupted;
    world.terminal.note(`error: ${MusterError.from(thrown).describe()}`);
    return exitCodeOf(thrown);
  }
}

/** All commands, for running them and for writing their reference. */
export function createProgram(host: Host): Command {
  const { terminal } = host;
  const root = new Command('muster')
    .description('Muster keeps a fleet of Kubernetes clusters at what Git says.')
    .version(VERSION, '--version', 'print the version')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false })
    .helpCommand('help [command]', 'show what a command does')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/, '')),
      writeErr: (text) => terminal.note(text.replace(/\n$/, '')),
    });
  connectionOptions(root);
  root.commandsGroup('Every day:');
  applyCommands(root, host);
  planCommand(root, host);
  appCommands(root, host);
  appSetCommands(root, host);
  rolloutCommands(root, host);
  releaseCommands(root, host);
  whyCommand(root, host);
  promotionCommands(root, host);
  root.commandsGroup('The fleet:');
  bootstrapCommand(root, host);
  clusterCommands(root, host);
  repoCommands(root, host);
  pluginCommands(root, host);
  decisionCommands(root, host);
  projectCommands(root, host);
  settingsCommands(root, host);
  root.commandsGroup('Offline:');
  offlineCommands(root, host);
  root.commandsGroup('The hub:');
  loginCommands(root, host);
  accessCommands(root, host);
  hubCommands(root, host);
  return root;
}
