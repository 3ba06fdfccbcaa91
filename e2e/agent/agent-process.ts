import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { type Running, startProcess } from '../src/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let built: Promise<unknown> | undefined;

/** Flags that keep the agent small; the image and the demo start it with the same. */
export const AGENT_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=256'];

/** Path of the agent's one file, built once by this process. */
export async function agentBundle(): Promise<string> {
  built ??= promisify(execFile)(process.execPath, [join(root, 'agent/build.mjs')]);
  await built;
  return join(root, 'agent/dist/agent.mjs');
}

/** Starts an agent as a user would outside of a cluster. */
export async function startAgent(options: {
  name?: string;
  log: string;
  env: Record<string, string | undefined>;
}): Promise<Running> {
  const { name = 'agent', log, env } = options;
  const args = [...AGENT_FLAGS, await agentBundle()];
  return startProcess({ name, command: process.execPath, args, env, log });
}
