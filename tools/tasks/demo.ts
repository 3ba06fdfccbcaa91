// `npm run demo`: builds what is missing, then runs e2e/src/demo.
import { HELP, readOptions } from '../../e2e/src/demo/options.ts';
import { ensureGoTool } from '../go-tools.mjs';
import { buildAll } from './build.ts';
import { root } from './context.ts';
import { GIT, ensureProgram } from './system.ts';

const options = readOptions(process.argv.slice(2), root);
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
await ensureProgram(GIT);
await buildAll();
if (options.contexts.length === 0) await ensureGoTool('control-plane', { log: console.error });
const { demo } = await import('../../e2e/src/demo/main.ts');
process.exit(await demo(options));
