import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { type Running, startAgent as startBundle } from '../src/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let built: Promise<unknown> | undefined;

/** The agent's one file, built once by this process. */
async function buildAgent(): Promise<void> {
  built ??= promisify(execFile)(process.execPath, [join(root, 'agent/build.mjs')]);
  await built;
}

/** Starts an agent as a user would outside of a cluster. */
export async function startAgent(options: {
  log: string;
  env: Record<string, string | undefined>;
}): Promise<Running> {
  await buildAgent();
  return startBundle(options.env, options.log);
}
