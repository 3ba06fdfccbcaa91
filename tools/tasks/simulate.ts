// `npm run simulate`: a hub and a fleet of simulated agents, e2e/simulator.
import { MusterError } from '@muster/base';
import { buildHubAndAgent } from '../../e2e/bench/bundles.ts';
import { HELP, type SimulateOptions, readOptions } from '../../e2e/simulator/options.ts';
import { root } from './context.ts';
import { GIT, ensureProgram } from './system.ts';

let options: SimulateOptions;
try {
  options = readOptions(process.argv.slice(2), root);
} catch (error) {
  console.error(MusterError.from(error).describe());
  process.exit(2);
}
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
await ensureProgram(GIT);
await buildHubAndAgent(stop.signal);
const { simulate } = await import('../../e2e/simulator/main.ts');
const code = await simulate(options, stop.signal).then(
  () => 0,
  (error: unknown) => {
    if (stop.signal.aborted) return 130;
    console.error(MusterError.from(error).describe());
    return 1;
  },
);
process.exit(code);
