// The import rules of ARCHITECTURE.md. Each message says what to do instead.
const only = (name, module, where, instead) => ({
  name,
  severity: 'error',
  comment: instead,
  from: { pathNot: where },
  to: { path: `node_modules/${module}` },
});
const notTo = (name, from, to, instead) => ({
  name,
  severity: 'error',
  comment: instead,
  from: { path: from },
  to: { path: to },
});
const tests = '\\.(test|integration\\.test|e2e\\.test)\\.tsx?$|/testing/';
const capabilities =
  'sources|projects|applicationsets|applications|rendering|releases|assignments|keys|clusters|agents|status|commands|recovery|access|audit|settings|drift|rollouts';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Move what both need into a third file.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'The import names nothing.',
      from: {},
      to: { couldNotResolve: true },
    },
    notTo(
      'proto-imports-nothing',
      '^proto/',
      '^(libs|hub|agent|cli|web|e2e|renderer)/',
      'The protocol knows nothing of the rest.',
    ),
    notTo(
      'libs-import-libs-only',
      '^libs/(?!appset/(src/testing|bench)/)',
      '^(hub|agent|cli|web|e2e|renderer)/',
      'libs are pure: pass in what is needed as data or as a port.',
    ),
    notTo(
      'libs-and-proto',
      '^libs/(?!link/)',
      '^proto/',
      'Only libs/link speaks the protocol; take plain data.',
    ),
    notTo(
      'rollout-stands-on-base-and-kube',
      '^libs/rollout/',
      '^libs/(?!rollout|base|kube)',
      'A rollout knows targets and digests; pass in what else it needs as data.',
    ),
    notTo(
      'renderer-imports-libs',
      '^renderer/',
      '^(hub|agent|cli|web|e2e|proto)/',
      'The renderer is used by the hub and the CLI; it knows neither.',
    ),
    notTo(
      'hub-is-not-imported',
      '^(agent|cli|web|libs|proto|renderer)/',
      '^hub/',
      'Talk to the hub through its API or the protocol.',
    ),
    notTo(
      'agent-imports',
      '^agent/',
      '^(hub|cli|web|e2e|renderer|libs/(appset|api|rollout))/',
      'The agent stands on proto, libs/base, libs/link and libs/kube.',
    ),
    notTo(
      'clients-use-the-api',
      '^(cli|web)/',
      '^(hub|agent|e2e|proto)/',
      'The CLI and the page talk to the public API only (libs/api).',
    ),
    notTo(
      'web-is-light',
      '^web/',
      '^(libs/(appset|kube|link)|renderer)/',
      'Let the hub answer it; the page loads libs/api only.',
    ),
    {
      name: 'a-capability-through-its-service',
      severity: 'error',
      comment: 'Use the other capability through its service, never through its repository.',
      from: { path: `^hub/src/(${capabilities})/`, pathNot: tests },
      to: { path: `^hub/src/(${capabilities})/.*\\.repository\\.ts$`, pathNot: '^hub/src/$1/' },
    },
    only(
      'kysely-in-repositories',
      '(kysely|pg)/',
      `^hub/src/(store/|testing/|queue/|.*\\.repository\\.ts$)|^e2e/|${tests}|^node_modules`,
      'Put SQL into a *.repository.ts.',
    ),
    only(
      'bullmq-in-queue',
      '(bullmq|ioredis|@nestjs/bullmq|bullmq-otel)/',
      `^hub/src/(queue|testing)/|^e2e/|^node_modules|${tests}`,
      'Write a *.worker.ts with plain handlers; queue/ binds it.',
    ),
    only(
      'grpc-in-agents',
      '@grpc/',
      `^hub/src/agents/|^agent/src/link/|^proto/|^node_modules|${tests}`,
      'Only agents/ and the agent’s link/ speak gRPC.',
    ),
    only(
      'client-node-in-one-file',
      '@kubernetes/client-node/',
      '^agent/src/kube/[a-z-]*config[a-z-]*\\.ts$|^node_modules',
      'Use kube/: our own client.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/|/gen/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
  },
};
