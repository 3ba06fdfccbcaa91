/** Bundles the command to `dist/muster.mjs`, runnable by itself, with the worker of Go templates beside it. */
import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
rmSync(`${here}dist`, { recursive: true, force: true });
const common = {
  absWorkingDir: here,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  legalComments: 'none',
  logLevel: 'warning',
};
// Bundled CommonJS packages ask for require.
const require = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";
await build({
  ...common,
  entryPoints: { muster: 'src/bin.ts' },
  // What only some commands need is loaded when they run.
  splitting: true,
  banner: { js: require },
});
await build({
  ...common,
  entryPoints: {
    'gotmpl-worker': fileURLToPath(import.meta.resolve('@muster/renderer')).replace(
      /index\.ts$/,
      'gotmpl-worker.ts',
    ),
  },
  banner: { js: require },
});
chmodSync(`${here}dist/muster.mjs`, 0o755);
