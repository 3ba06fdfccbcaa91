import { TemplateEngine, loadRenderer } from '@muster/renderer';
import { type ApplicationSet, type ClusterFacts, expand, type Generator } from '../src/index.ts';

/**
 * Microseconds per Application of whole expansions: `node libs/appset/bench/expand.ts [path of renderer.wasm] [--json]`.
 * The best of several runs, since other work shares the machine.
 */
const CLUSTERS = 10_000;
const RUNS = 5;

const clusters: ClusterFacts[] = Array.from({ length: CLUSTERS }, (_, i) => ({
  name: `cluster-${i}`,
  server: `https://cluster-${i}.example.test:6443`,
  labels: { env: i % 3 === 0 ? 'prod' : 'dev', region: `eu-${i % 7}`, tier: String(i % 4) },
  annotations: { owner: `team-${i % 20}` },
}));

const spec = (open: (name: string) => string) => ({
  metadata: {
    name: `${open('name')}-web`,
    labels: { env: open('metadata.labels.env'), region: open('metadata.labels.region') },
  },
  spec: {
    project: 'default',
    source: {
      repoURL: 'https://git.example.test/fleet.git',
      targetRevision: 'main',
      path: `apps/${open('metadata.labels.env')}`,
      helm: { valueFiles: ['values.yaml'], parameters: [{ name: 'cluster', value: open('name') }] },
    },
    destination: { server: open('server'), namespace: 'web' },
    syncPolicy: { automated: { prune: true, selfHeal: true } },
  },
});

function setOf(goTemplate: boolean, generators: Generator[]): ApplicationSet {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'bench', namespace: 'argocd' },
    spec: {
      goTemplate,
      goTemplateOptions: goTemplate ? ['missingkey=error'] : [],
      generators,
      template: spec((name) => (goTemplate ? `{{ .${name} }}` : `{{${name}}}`)),
    },
  };
}

const selected: Generator = {
  clusters: { selector: { matchExpressions: [{ key: 'env', operator: 'Exists' }] } },
};
const matrix: Generator = {
  matrix: {
    generators: [
      { list: { elements: Array.from({ length: 10 }, (_, i) => ({ app: `app-${i}` })) } },
      { clusters: { selector: { matchLabels: { region: 'eu-1' } } } },
    ],
  },
};

const json = process.argv.includes('--json');
const wasmPath = process.argv.slice(2).find((argument) => argument !== '--json');
const renderer = await loadRenderer({ wasmPath, memoryMb: 256 });
const engines = new TemplateEngine(renderer);
await engines.yaml.toJson(['{}']);

const thousand = clusters.slice(0, 1000).map((c) => ({ ...c, labels: { ...c.labels, region: 'eu-1' } }));
const rows: [name: string, set: ApplicationSet, clusters: ClusterFacts[], aim: number][] = [
  ['clusters × 10,000, fasttemplate', setOf(false, [selected]), clusters, 10],
  ['clusters × 10,000, goTemplate', setOf(true, [selected]), clusters, 60],
  ['matrix 10 × 1,000, fasttemplate', setOf(false, [matrix]), thousand, 10],
  ['matrix 10 × 1,000, goTemplate', setOf(true, [matrix]), thousand, 60],
];
for (const [name, applicationSet, given, aim] of rows) {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    const { applications } = await expand({ applicationSet, clusters: given }, engines);
    best = Math.min(best, ((performance.now() - started) * 1000) / applications.length);
  }
  if (json) console.log(JSON.stringify({ name, microseconds: best, aim }));
  else console.log(`${name}: ${best.toFixed(1)} µs per Application (aim: at most ${aim})`);
}
await engines.close();
