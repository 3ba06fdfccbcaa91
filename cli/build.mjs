/** Bundles the command to `dist/muster.mjs`, runnable by itself, with the worker of Go templates beside it. */
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
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
  metafile: true,
};
// Bundled CommonJS packages ask for require.
const require =
  "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);const __filename=import.meta.filename,__dirname=import.meta.dirname;";
const command = await build({
  ...common,
  entryPoints: { muster: 'src/bin.ts' },
  // What only some commands need is loaded when they run.
  splitting: true,
  banner: { js: require },
});
const worker = await build({
  ...common,
  entryPoints: {
    'gotmpl-worker': fileURLToPath(import.meta.resolve('@muster/renderer')).replace(
      /index\.ts$/,
      'gotmpl-worker.ts',
    ),
    'jq-worker': fileURLToPath(import.meta.resolve('@muster/kube/jq')).replace(/jq\.ts$/, 'jq-worker.ts'),
  },
  banner: { js: require },
});
// Not emptied before: the command works, or goes on working, while it is built again.
const made = new Set([command, worker].flatMap(({ metafile }) => Object.keys(metafile.outputs)));
for (const name of readdirSync(`${here}dist`)) {
  if (!made.has(`dist/${name}`)) rmSync(`${here}dist/${name}`, { recursive: true });
}
chmodSync(`${here}dist/muster.mjs`, 0o755);
