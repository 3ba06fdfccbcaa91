// `npm run bench [-- NAME…] [--json]`: figures as rows on standard output, progress on standard error.
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Figure } from '../../e2e/bench/figure.ts';
import { benches } from '../../e2e/bench/registry.ts';
import { capture, root, took } from './context.ts';

const HELP = `usage: npm run bench [-- NAME…] [--json] [--list] [--help]

Measures, prints a row a figure, and appends them to .muster/bench/history.jsonl. Without names: all of

${benches.map(({ name, about }) => `  ${name.padEnd(8)} ${about}`).join('\n')}

--json   one JSON object a line: name, value, unit, against, ratio, aim, holds
--list   the names, one a line

An aim that does not hold is shown, and is no failure; a bench that could not run is (exit code 1).
`;

const COLUMNS = ['name', 'value', 'unit', 'against', 'ratio', 'aim', 'holds'] as const;

interface Options {
  names: string[];
  json: boolean;
}

const options = readOptions(process.argv.slice(2));
if (options) process.exitCode = await runBenches(options);

/** Undefined when there is nothing to measure. */
function readOptions(args: string[]): Options | undefined {
  let parsed;
  try {
    const flag = { type: 'boolean', default: false } as const;
    parsed = parseArgs({ args, allowPositionals: true, options: { json: flag, list: flag, help: flag } });
  } catch (error) {
    return refuse((error as Error).message);
  }
  const { values, positionals: names } = parsed;
  if (values.help) process.stdout.write(HELP);
  else if (values.list) process.stdout.write(`${benches.map(({ name }) => name).join('\n')}\n`);
  if (values.help || values.list) return undefined;
  const unknown = names.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    return refuse(
      `there is no bench ${unknown.join(', ')}; there are ${benches.map(({ name }) => name).join(', ')}`,
    );
  }
  return { names, json: values.json };
}

function refuse(message: string): undefined {
  console.error(`bench: ${message}`);
  process.exitCode = 2;
}

async function runBenches({ names, json }: Options): Promise<number> {
  const machine = await machineFacts();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  if (!json) printRow([...COLUMNS]);
  let failed = 0;
  for (const bench of benches.filter(({ name }) => names.length === 0 || names.includes(name))) {
    if (stop.signal.aborted) return 130;
    warnWhenBusy();
    const load = loadavg()[0]!;
    const log = (line: string) => console.error(`${bench.name}: ${line}`);
    const started = Date.now();
    const dir = await mkdtemp(join(tmpdir(), `muster-bench-${bench.name}-`));
    try {
      const figures = await bench.run({ dir, log, signal: stop.signal });
      for (const figure of figures) {
        if (json) console.log(JSON.stringify(figure, [...COLUMNS]));
        else printRow(COLUMNS.map((column) => cell(figure, column)));
      }
      await remember(figures, { ...machine, load });
      log(`done in ${took(started)}`);
    } catch (error) {
      failed += 1;
      console.error(
        `${bench.name}: could not run: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
      );
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }
  return failed === 0 ? 0 : 1;
}

function cell(figure: Figure, column: (typeof COLUMNS)[number]): string {
  const value = figure[column];
  if (value === null) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

function printRow(cells: string[]): void {
  const widths = [46, 8, 5, 34, 7, 22, 5];
  console.log(
    cells
      .map((text, i) => text.padEnd(widths[i]!))
      .join(' ')
      .trimEnd(),
  );
}

/** More runnable processes than cores: what is measured now is also a measure of them. */
function warnWhenBusy(): void {
  const load = loadavg()[0]!;
  const cores = cpus().length;
  if (load <= cores / 2) return;
  console.error(
    `The machine is busy (load average ${load.toFixed(1)} on ${cores} cores): compare ratios, not times, and run it again when it is quiet.`,
  );
}

async function machineFacts(): Promise<Record<string, unknown>> {
  const [head, changes] = await Promise.all([
    capture('git', ['rev-parse', '--short=12', 'HEAD']),
    capture('git', ['status', '--porcelain']),
  ]);
  return {
    commit: head.code === 0 ? head.output.trim() : null,
    changed: changes.code === 0 ? changes.output.trim() !== '' : null,
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
  };
}

async function remember(figures: readonly Figure[], facts: Record<string, unknown>): Promise<void> {
  const folder = join(root, '.muster', 'bench');
  await mkdir(folder, { recursive: true });
  const date = new Date().toISOString();
  const lines = figures.map((figure) => `${JSON.stringify({ date, ...figure, ...facts })}\n`);
  await appendFile(join(folder, 'history.jsonl'), lines.join(''));
}
