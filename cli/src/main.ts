import { readEnvironment } from './environment.ts';
import { main } from './program.ts';
import { processTerminal } from './terminal.ts';

/** The command as a process: arguments, streams, signals and exit code. */
export async function runProcess(): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  // `muster app list | head`: nobody reads any more, which is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const environment = readEnvironment(process.env);
  const code = await main(process.argv.slice(2), {
    environment,
    terminal: processTerminal(environment.mayColour),
    signal: interrupted.signal,
  });
  // After everything is written: pipes are asynchronous, and idle connections must not keep the shell waiting.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}
