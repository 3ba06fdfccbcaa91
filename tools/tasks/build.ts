// `npm run build`: the renderer, then the bundles of hub, agent, CLI and page, each by its own build.mjs, and the charts.
import { packCharts } from './charts.ts';
import { bin, capture, took } from './context.ts';
import { ensureRenderer } from './renderer.ts';

/** Builds everything that runs; answers when all of it is on disk. Throws with the name of what failed. */
export async function buildAll(): Promise<void> {
  const started = Date.now();
  await ensureRenderer();
  // Nx knows what each part is made of, and builds only what has changed since.
  const env = { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' };
  const built = await capture(bin('nx'), ['run-many', '--target=build', '--output-style=static'], { env });
  await packCharts();
  if (built.code !== 0)
    throw new Error(`the build failed:
${built.output.slice(-6000)}`);
  const cached = /existing outputs match the cache|Nx read the output from the cache/.test(built.output);
  console.error(
    `Built hub, agent, CLI and page in ${took(started)}${cached ? ' (some from the cache)' : ''}.`,
  );
}

if (import.meta.main) await buildAll();
