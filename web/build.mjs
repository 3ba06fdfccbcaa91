/** Builds the page to `dist/`: static files that the hub serves, fit for its content security policy (no inline code). */
import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { build } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
await build({
  root: here,
  configFile: false,
  logLevel: 'warn',
  plugins: [react(), tailwindcss()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    // Of the libs only what is imported goes in: their YAML and hashing are for Node.
    rolldownOptions: {
      treeshake: { moduleSideEffects: [{ test: /[/\\]libs[/\\]|js-yaml/, sideEffects: false }] },
    },
  },
});
