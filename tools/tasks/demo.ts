// `npm run demo`: builds what is missing, then runs e2e/src/demo.
import { MusterError } from '@muster/base';
import { type DemoOptions, HELP, readOptions } from '../../e2e/src/demo/options.ts';
import { ensureGoTool } from '../go-tools.mjs';
import { buildAll } from './build.ts';
import { root } from './context.ts';
import { GIT, ensureProgram } from './system.ts';

let options: DemoOptions;
try {
  options = readOptions(process.argv.slice(2), root);
} catch (e) {
  console.error(MusterError.from(e).describe());
  process.exit(2);
}
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
await ensureProgram(GIT);
await buildAll();
if (options.contexts.length === 0) await ensureGoTool('control-plane', { log: console.error });
const { demo } = await import('../../e2e/src/demo/main.ts');
const code = await demo(options).catch((e: unknown) => {
  // What a user can act on is the message; the stack is for whoever sets DEBUG.
  console.error(
    `\nThe demo could not go on: ${process.env['DEBUG'] ? (e as Error).stack : (e as Error).message}`,
  );
  return 1;
});
process.exit(code);
