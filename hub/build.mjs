/** Bundles the hub to `dist/main.mjs` with its migrations beside it. npm packages stay outside, `@muster/*` goes in. */
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
await build({
  absWorkingDir: here,
  // The renderer's threads look for their entries beside the bundle.
  entryPoints: {
    main: 'src/main.ts',
    'renderer-worker': '../renderer/src/worker.ts',
    'gotmpl-worker': '../renderer/src/gotmpl-worker.ts',
  },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: true,
  logLevel: 'warning',
  tsconfig: 'tsconfig.json',
  plugins: [
    {
      name: 'workspace packages go in, npm packages stay out',
      setup({ onResolve }) {
        onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
          kind === 'entry-point' || path.startsWith('@muster/') ? undefined : { path, external: true },
        );
      },
    },
  ],
  // Bundled CommonJS packages ask for require.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
});
cpSync(`${here}src/store/migrations`, `${here}dist/migrations`, { recursive: true });
