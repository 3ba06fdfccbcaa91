import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { atMost, type Bench } from './figure.ts';

const script = fileURLToPath(new URL('../../libs/appset/bench/expand.ts', import.meta.url));

/** Expansions of 10,000 Applications, in a process of their own. */
export const appset: Bench = {
  name: 'appset',
  about: 'expansion of ApplicationSets over 10,000 clusters, per Application, with both template engines',
  run: async ({ signal }) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, '--json'], { signal });
    const rows = stdout.trim().split('\n');
    return rows.map((row) => {
      const { name, microseconds, aim } = JSON.parse(row) as {
        name: string;
        microseconds: number;
        aim: number;
      };
      return atMost(`appset: ${name}`, microseconds, 'µs', aim);
    });
  },
};
