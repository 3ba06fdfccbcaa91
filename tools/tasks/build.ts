// `npm run build`: the renderer, then the bundles of hub, agent, CLI and page, each by its own build.mjs, and the charts.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packCharts } from './charts.ts';
import { root, run, took } from './context.ts';
import { ensureRenderer } from './renderer.ts';

/** Builds everything that runs; answers when all of it is on disk. Throws with the name of what failed. */
export async function buildAll(): Promise<void> {
  const started = Date.now();
  await ensureRenderer();
  const parts = ['hub', 'agent', 'cli', 'web'].filter((part) => existsSync(join(root, part, 'build.mjs')));
  const codes = await Promise.all(
    parts.map((part) => run(process.execPath, [join(root, part, 'build.mjs')])),
  );
  const broken = parts.filter((_part, i) => codes[i] !== 0);
  await packCharts();
  if (broken.length > 0) throw new Error(`the build of ${broken.join(', ')} failed`);
  console.error(`Built ${parts.join(', ')} in ${took(started)}.`);
}

if (import.meta.main) await buildAll();
