import { MusterError } from '@muster/base';
import { type HubClient, hubClient } from '@muster/api/client';
import { Command } from 'commander';
import { chooseConnection, type Connection, type ConnectionFlags, readCliConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { type Format, parseFormat } from './output.ts';
import type { Terminal } from './terminal.ts';

/** What every command is given. */
export interface Context {
  terminal: Terminal;
  environment: Environment;
  /** Ends when the user interrupts. */
  signal: AbortSignal;
  format: Format;
  /** Whether the user chose the format. */
  formatGiven: boolean;
  connection(): Connection;
  /** @throws MusterError when no hub is known. */
  client(): HubClient;
  now(): number;
}

interface Given extends ConnectionFlags {
  output?: string;
}

/** Carries commands out: builds their context, keeps their exit code. */
export class Host {
  readonly terminal: Terminal;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  exitCode = 0;

  constructor(terminal: Terminal, environment: Environment, signal: AbortSignal) {
    this.terminal = terminal;
    this.environment = environment;
    this.signal = signal;
  }

  /** The action of a command: `act` gets the context, then what commander gives; it may answer an exit code. */
  run<A extends unknown[]>(
    act: (context: Context, ...args: A) => Promise<number | void> | number | void,
  ): (...all: unknown[]) => Promise<void> {
    return async (...all) => {
      const command = all.pop() as Command;
      this.exitCode = (await act(this.#context(command), ...(all as A))) ?? 0;
    };
  }

  #context(command: Command): Context {
    const flags = flagsOf(command);
    const connection = () =>
      chooseConnection(flags, this.environment, readCliConfig(this.environment.configFile));
    return {
      terminal: this.terminal,
      environment: this.environment,
      signal: this.signal,
      format: parseFormat(flags.output ?? 'table'),
      formatGiven: flags.output !== undefined,
      connection,
      client: () => {
        const { hub, token } = connection();
        if (!token) {
          throw new MusterError('unauthenticated', `not logged in to ${hub}`, {
            hint: `muster login ${hub}`,
          });
        }
        const onRetry = (seconds: number, message: string) =>
          this.terminal.note(`note: ${message}; trying again in ${Math.ceil(seconds)} s`);
        return hubClient({ hub, token, signal: this.signal, onRetry });
      },
      now: Date.now,
    };
  }
}

/** Commands whose own `--token` means something else. */
const ownToken = new WeakSet<Command>();
/** Commands that know other formats. */
const ownOutput = new WeakSet<Command>();

function flagsOf(command: Command): Given {
  const flags: Given = {};
  for (let each: Command | null = command; each; each = each.parent) {
    const { hub, token, context, output } = each.opts<Given>();
    flags.hub ??= hub;
    flags.context ??= context;
    if (!ownOutput.has(each)) flags.output ??= output;
    if (!ownToken.has(each)) flags.token ??= token;
  }
  return flags;
}

/** What a command says of itself. */
export interface Description {
  summary: string;
  /** More than the summary, where it needs saying. */
  details?: string;
  /** Command lines, with a comment after `#` where they need one. */
  examples: string[];
  /** It shows something: takes `-o`. */
  output?: true;
  /** It takes `-o` with formats of its own, as said here, and reads them itself. */
  ownOutput?: string;
  /** It talks to no hub. */
  offline?: true;
  /** Its `--token` is not the one of the hub. */
  ownToken?: true;
}

/** Adds a command that does something. */
export function verb(parent: Command, usage: string, description: Description): Command {
  const command = parent.command(usage).summary(description.summary);
  command.description(description.details ?? `${description.summary}.`);
  if (description.ownToken) ownToken.add(command);
  if (description.output) command.option('-o, --output <format>', 'table, wide, json, yaml or name');
  if (description.ownOutput) {
    ownOutput.add(command);
    command.option('-o, --output <format>', description.ownOutput);
  }
  if (!description.offline) connectionOptions(command, description.ownToken ?? false);
  command.addHelpText(
    'after',
    `\nExamples:\n${description.examples.map((line) => `  $ ${line}`).join('\n')}`,
  );
  return command;
}

/** Adds a command that only groups others. */
export function group(parent: Command, name: string, summary: string, aliases: string[] = []): Command {
  const command = parent.command(name).summary(summary).description(`${summary}.`).aliases(aliases);
  command.enablePositionalOptions();
  return command;
}

export function connectionOptions(command: Command, withoutToken = false): void {
  command.optionsGroup('Which hub:');
  command.option('--context <name>', 'a hub of the configuration file');
  command.option('--hub <url>', 'a hub by its address (MUSTER_HUB)');
  if (!withoutToken) command.option('--token <token>', 'an API token; better in MUSTER_TOKEN');
  command.optionsGroup('Options:');
}
