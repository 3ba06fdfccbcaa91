// Before the integration ring: the bundles that some of its tests run as child processes, made once, so that no test
// runs an older one or one that another test is writing.
import { join } from 'node:path';
import { root, run } from './tasks/context.ts';

export async function setup(): Promise<void> {
  for (const part of ['hub', 'cli']) {
    const code = await run(process.execPath, [join(root, part, 'build.mjs')]);
    if (code !== 0) throw new Error(`${part}/build.mjs failed with ${code}; its output is above`);
  }
}
