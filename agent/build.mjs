// Makes the file that the agent is, dist/agent.mjs, and beside it the workers that run jq programs and health checks.
// The Kubernetes client library is used for its kubeconfig only; the thousands of generated API classes that it drags
// along are replaced by nothing, which saves 20 MB.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

const withoutGeneratedApi = {
  name: 'without-generated-api',
  setup(builder) {
    builder.onResolve({ filter: /\/gen\/index\.js$/ }, ({ importer }) =>
      importer.includes('@kubernetes/client-node')
        ? { path: 'generated-api', namespace: 'empty' }
        : undefined,
    );
    // One copy of undici: the library brings another version for parts that are not used.
    builder.onResolve({ filter: /^undici$/ }, ({ importer }) =>
      importer.includes('@kubernetes/client-node')
        ? builder.resolve('undici', { resolveDir: here, kind: 'import-statement' })
        : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({
      contents: 'export const createConfiguration = undefined; export class ServerConfiguration {}',
    }));
  },
};

/** A source file beside the entry of a package. */
const beside = (entry, name) => join(dirname(fileURLToPath(import.meta.resolve(entry))), name);

await build({
  entryPoints: {
    agent: join(here, 'src/main.ts'),
    'jq-worker': beside('@muster/kube/jq', 'jq-worker.ts'),
    'health-worker': beside('@muster/kube/checks', 'health-worker.ts'),
  },
  outdir: join(here, 'dist'),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: false,
  legalComments: 'none',
  logLevel: 'warning',
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);const __filename=import.meta.filename,__dirname=import.meta.dirname;",
  },
  plugins: [withoutGeneratedApi],
});
