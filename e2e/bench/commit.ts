import { setTimeout as sleep } from 'node:timers/promises';
import { startFleet, type Fleet } from '../spine/fleet.ts';
import { applicationSet, deployment } from '../spine/testing/documents.ts';
import { buildHubAndAgent } from './bundles.ts';
import { type Bench, type Figure, median, plain, quantile } from './figure.ts';

const COMMITS = 20;
const WARM_UPS = 2;
const PATIENCE_MS = 60_000;

/**
 * From a commit that is there to all three clusters healthy with it: webhook, fetch, expansion, render, release, signed
 * assignments, apply, rollout of a Deployment (kwok's pods), reports. Nothing is polled by the hub.
 */
export const commit: Bench = {
  name: 'commit',
  about: 'a commit with a webhook until all three clusters are healthy with it',
  run: async ({ log, signal }) => {
    await buildHubAndAgent(signal);
    log('starting a hub and three clusters');
    const fleet = await startFleet({
      env: { MUSTER_POLL_SECONDS: '3600', MUSTER_LEASE_SECONDS: '30' },
    });
    try {
      await prepare(fleet);
      const times: number[] = [];
      for (let i = 0; i < WARM_UPS + COMMITS; i++) {
        signal.throwIfAborted();
        const took = await oneCommit(fleet, i);
        log(`commit ${i + 1}: ${Math.round(took)} ms${i < WARM_UPS ? ' (not counted)' : ''}`);
        if (i >= WARM_UPS) times.push(took);
      }
      return figuresOf(times);
    } finally {
      await fleet.stop();
    }
  },
};

const APPLICATIONS = ['web-dev', 'web-staging', 'web-prod'];

async function prepare(fleet: Fleet): Promise<void> {
  const overlays = Object.fromEntries(
    ['dev', 'staging', 'prod'].map((env) => [
      `web/overlays/${env}/kustomization.yaml`,
      `resources: [../../base]\ncommonAnnotations: { env: ${env} }\n`,
    ]),
  );
  const sha = await fleet.repository.commit(
    {
      'web/base/kustomization.yaml': kustomization('first'),
      'web/base/deployment.yaml': deployment('web', 'shop/web'),
      ...overlays,
    },
    'first',
  );
  await fleet.apply(
    applicationSet(fleet.repository.url, 'web', {
      generators: [{ clusters: { selector: { matchExpressions: [{ key: 'env', operator: 'Exists' }] } } }],
      applicationName: 'web-{{name}}',
      source: { path: 'web/overlays/{{metadata.labels.env}}' },
      destination: { name: '{{name}}', namespace: 'web' },
    }),
  );
  await fleet.synced(APPLICATIONS, sha);
}

const kustomization = (tag: string) =>
  `resources: [deployment.yaml]\nimages: [{ name: shop/web, newTag: ${tag} }]\n`;

async function oneCommit(fleet: Fleet, i: number): Promise<number> {
  const tag = `v${i}`;
  const sha = await fleet.repository.commit({ 'web/base/kustomization.yaml': kustomization(tag) }, tag);
  const started = performance.now();
  const answer = await fleet.webhook();
  if (answer.status !== 202) throw new Error(`the hub answered the webhook with ${answer.status}`);
  for (;;) {
    const { items } = await fleet.client.applications.list();
    const there = items.filter(
      ({ sync, health, revision, operation }) =>
        sync === 'Synced' &&
        health === 'Healthy' &&
        revision?.commit === sha &&
        operation?.phase !== 'Running',
    );
    const took = performance.now() - started;
    // What the hub says must be so in the clusters: a figure of a hub that is ahead of them is worth nothing.
    if (there.length === APPLICATIONS.length && (await rolledOut(fleet, tag))) return took;
    if (took > PATIENCE_MS) throw new Error(`after ${PATIENCE_MS / 1000} s: ${JSON.stringify(items)}`);
    await sleep(10);
  }
}

async function rolledOut(fleet: Fleet, tag: string): Promise<boolean> {
  const found = await Promise.all(fleet.all.map(({ kube }) => kube.get('apps/v1/Deployment', 'web/web')));
  return found.every(
    ({ spec, status, metadata }) =>
      spec.template.spec.containers[0].image === `shop/web:${tag}` &&
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === spec.replicas &&
      status?.availableReplicas === spec.replicas,
  );
}

function figuresOf(times: number[]): Figure[] {
  return [
    plain('commit: all three clusters healthy, median', median(times), 'ms'),
    plain('commit: all three clusters healthy, p95', quantile(times, 0.95), 'ms'),
  ];
}
