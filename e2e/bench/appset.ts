import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SetFleet } from './appset-fleet.ts';
import { buildHubAndAgent } from './bundles.ts';
import { type Bench, type BenchContext, type Figure, atMost, median, plain } from './figure.ts';

const script = fileURLToPath(new URL('../../libs/appset/bench/expand.ts', import.meta.url));

const LABELS = 15;
const WARM_UPS = 3;

/** Expansions of 10,000 Applications, in a process of their own; then all that a hub does from a change on. */
export const appset: Bench = {
  name: 'appset',
  about: 'ApplicationSets over 10,000 clusters: expansion, and from a change to rows and signed assignments',
  run: async (context) => {
    const figures = await expansion(context);
    await buildHubAndAgent(context.signal);
    for (const goTemplate of [false, true]) figures.push(...(await throughTheHub(context, goTemplate)));
    return figures;
  },
};

async function expansion({ signal }: BenchContext): Promise<Figure[]> {
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
}

async function throughTheHub({ dir, log, signal }: BenchContext, goTemplate: boolean): Promise<Figure[]> {
  const engine = goTemplate ? 'goTemplate' : 'fasttemplate';
  const name = (what: string) => `appset: ${what}, ${engine}`;
  log(`starting a hub with 10,000 clusters, ${engine}`);
  const fleet = await SetFleet.start(dir, goTemplate, signal);
  try {
    const figures: Figure[] = [];
    const add = (figure: Figure) => {
      log(`${figure.name}: ${figure.value} ${figure.unit}`);
      figures.push(figure);
    };
    add(atMost(name('10,000 Applications made'), (await fleet.change(0)) / 1000, 's', 5));
    add(atMost(name('their assignments signed'), (await fleet.settle()) / 1000, 's', 10));
    add(atMost(name('10,000 Applications changed'), (await fleet.change(1)) / 1000, 's', 5));
    add(atMost(name('their assignments signed again'), (await fleet.settle()) / 1000, 's', 10));
    add(atMost(name('nothing changed'), await fleet.again(), 'ms', 1000));
    await fleet.restart();
    add(atMost(name('nothing changed, first run of a replica'), await fleet.again(), 'ms', 1000));
    const labels = [];
    for (let i = 0; i < WARM_UPS + LABELS; i++) {
      signal.throwIfAborted();
      const figure = await fleet.label(5000 + i, 'moved');
      if (i >= WARM_UPS) labels.push(figure);
    }
    add(atMost(name('one label, commit to row'), median(labels.map((one) => one.stored)), 'ms', 50));
    add(
      plain(name('one label, commit to signed assignment'), median(labels.map((one) => one.assigned)), 'ms'),
    );
    const region = await fleet.labelRegion('steady-again');
    if (region.expansions !== 1) log(`${region.changed} labels caused ${region.expansions} expansions`);
    add(plain(name('1,428 labels at once, to the last signed assignment'), region.took / 1000, 's'));
    return figures;
  } finally {
    await fleet.stop();
  }
}
