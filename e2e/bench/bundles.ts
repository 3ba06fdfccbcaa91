import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The agent's one file, fresh from the sources; answers its path. */
export async function buildAgent(signal: AbortSignal): Promise<string> {
  await build('agent', signal);
  return join(root, 'agent/dist/agent.mjs');
}

/** What a fleet runs, fresh from the sources. */
export async function buildHubAndAgent(signal: AbortSignal): Promise<void> {
  await Promise.all(['hub', 'agent'].map((part) => build(part, signal)));
}

async function build(part: string, signal: AbortSignal): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, part, 'build.mjs')], { signal });
}
