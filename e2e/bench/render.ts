import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { filesIn, loadRenderer, RendererPool } from '@muster/renderer';
import { helmPath } from '../src/index.ts';
import { type Bench, type Figure, median, plain, timesFaster } from './figure.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CHARTS: [name: string, folder: string][] = [
  ['api', 'e2e/demo/repo/charts'],
  ['shop', 'renderer/testdata/charts'],
  ['platform', 'renderer/testdata/charts'],
  ['corners', 'renderer/testdata/charts'],
];
const ROUNDS = 15;
const RENDERS_A_ROUND = 9;
/** V8 compiles anew what is hot; a hub that has run for a minute is past that. */
const WARM_RENDERS = 400;

/** A warm render in the pool, as the hub does it, beside a start of the helm binary on the same chart. */
export const render: Bench = {
  name: 'render',
  about: 'warm Helm renders against starting the helm binary (four charts), and the start of the renderer',
  run: async ({ log, signal }) => {
    const helm = await helmPath();
    const started = performance.now();
    const pool = new RendererPool(await loadRenderer({ log, signal }));
    await pool.ready();
    const startMs = performance.now() - started;
    try {
      const figures: Figure[] = [];
      for (const [chart, folder] of CHARTS) {
        log(`chart ${chart}`);
        figures.push(await compare(pool, helm, chart, join(root, folder)));
      }
      return [...figures, plain('render: start of the first worker', startMs, 'ms')];
    } finally {
      await pool.close();
    }
  },
};

async function compare(pool: RendererPool, helm: string, chart: string, folder: string): Promise<Figure> {
  const files = filesIn(folder);
  const ours = () =>
    timed(() =>
      pool.render({
        source: { kind: 'helm', path: chart, releaseName: 'web', namespace: 'shop' },
        files,
        clock: 0,
        seed: new Uint8Array(32),
      }),
    );
  const flags = ['template', 'web', '.', '--namespace', 'shop', '--include-crds'];
  const theirs = () => timed(() => promisify(execFile)(helm, flags, { cwd: join(folder, chart) }));
  await theirs(); // brings the binary into the page cache
  for (let i = 0; i < WARM_RENDERS; i++) await ours();
  const pairs: { ours: number; theirs: number }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const theirMs = await theirs();
    const several: number[] = [];
    for (let n = 0; n < RENDERS_A_ROUND; n++) several.push(await ours());
    pairs.push({ ours: median(several), theirs: theirMs });
  }
  return timesFaster(
    `render: chart ${chart}`,
    median(pairs.map((pair) => pair.ours)),
    { name: 'helm template', value: median(pairs.map((pair) => pair.theirs)) },
    median(pairs.map((pair) => pair.theirs / pair.ours)),
    10,
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
