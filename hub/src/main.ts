import { MusterError } from '@muster/base';
import { runCommand } from './command-line.ts';
import { readConfig } from './config.ts';
import { type RunningHub, startHub } from './hub.ts';
import { createLogger } from './telemetry/logger.ts';

const STOP_DEADLINE_MS = 9000;

/** Serves, unless the arguments ask for something else. Exit codes: 0 stopped or done, 1 could not start or failed. */
async function main(): Promise<void> {
  const answer = await runCommand(process.argv.slice(2));
  if (answer === undefined) return serve();
  process.stdout.write(answer);
}

async function serve(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger(config.logLevel);
  process.on('unhandledRejection', (error) => {
    logger.fatal({ err: error }, 'unhandled rejection');
    process.exit(1);
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught exception');
    process.exit(1);
  });

  const starting = startHub(config, logger);
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
    void starting.then(
      (hub: RunningHub) => hub.stop().then(() => process.exit(0)),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await starting;
}

main().catch((error: unknown) => {
  const known = MusterError.from(error);
  process.stderr.write(`muster-hub: ${known.describe()}\n`);
  if (known.code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
