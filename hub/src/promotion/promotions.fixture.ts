/** A hub with environments in clusters of their own, whose agents are played: `web-NAME` in the cluster NAME. */
import type { PromotionChangeView, PromotionEnvironmentView } from '@muster/api';
import { systemActor } from '../access/actor.ts';
import { application } from '../applications/pipeline.fixture.ts';
import { Outbox } from '../queue/outbox.ts';
import { RolloutFixture } from '../rollouts/rollouts.fixture.ts';
import { RepositoriesService } from '../sources/repositories.service.ts';
import { PromotionsService } from './promotions.service.ts';

export const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;

/** A Deployment of an image and the ConfigMaps named, in a namespace. */
export function manifests(namespace: string, image: string, ...configMaps: string[]): string {
  const maps = configMaps.map(
    (name) => `---
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: ${namespace} }
`,
  );
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop # of all environments
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: ${image}
---
apiVersion: v1
kind: Secret
metadata: { name: db, namespace: shop }
stringData: { password: hunter2-${image} }
${maps.join('')}`;
}

export class PromotionFixture {
  readonly on: RolloutFixture;

  constructor(on: RolloutFixture) {
    this.on = on;
  }

  static async start(folder: string): Promise<PromotionFixture> {
    const on = await RolloutFixture.start(folder, { MUSTER_PROMOTION_SECONDS: '3600' });
    for (const name of ENVIRONMENTS) await on.join(name, { env: name });
    return new PromotionFixture(on);
  }

  get promotions(): PromotionsService {
    return this.on.get(PromotionsService);
  }

  /** Registers a repository for writing. */
  async register(url: string, more: object = {}): Promise<void> {
    await this.on
      .get(RepositoriesService)
      .add({ url, write: true, insecure: false, skipCheck: true, ...more }, systemActor);
  }

  /** Applies `web-NAME` for each environment, and waits until each is healthy. */
  async deploy(url: string, sourceOf: (name: string) => object): Promise<void> {
    const { hub } = this.on;
    await hub.apply(
      ENVIRONMENTS.map((name) =>
        application({ url }, `web-${name}`, '', {
          source: { repoURL: url, ...sourceOf(name) },
          destination: { name, namespace: name },
        }),
      ),
    );
    for (const name of ENVIRONMENTS) await hub.assignment(name, `web-${name}`);
    await this.on.settled();
    for (const name of ENVIRONMENTS) await this.on.report(name);
  }

  async apply(spec: object): Promise<void> {
    await this.on.hub.apply([
      { apiVersion: 'muster.dev/v1alpha1', kind: 'Promotion', metadata: { name: 'web' }, spec },
    ]);
    await this.on.settled();
  }

  /** What was pushed is read, as after a webhook. */
  async pulled(url: string): Promise<void> {
    await this.on.hub.push(url.replace(/\.git$/, ''));
    await this.on.settled();
  }

  /** Has the promotion looked at, as its timer does. */
  async look(): Promise<void> {
    const { db } = this.on;
    const { id } = await db.selectFrom('promotions').select('id').executeTakeFirstOrThrow();
    await db.transaction().execute((trx) => this.on.get(Outbox).add(trx, 'sources', [`promotion:${id}`]));
    await this.on.settled();
  }

  /** After an agent reported its new release healthy. */
  async healthy(name: string): Promise<void> {
    await this.on.report(name);
    await this.look();
  }

  async environment(name: string): Promise<PromotionEnvironmentView> {
    const found = await this.promotions.get(systemActor, 'web');
    return found.environments.find((one) => one.name === name)!;
  }

  /** The change that is on its way to an environment, else the newest that has ended. */
  async change(name: string): Promise<PromotionChangeView> {
    const { current, last } = await this.environment(name);
    return (current ?? last)!;
  }
}
