import type { KubeObject } from '@muster/kube';
import type { Application, Resource } from '../apply/application.ts';
import { type Cluster, isWatchable } from '../apply/cluster.ts';
import type { DesiredState } from '../apply/desired.ts';
import { messageOf, triage } from '../apply/resources.ts';
import { judge, note } from './compare.ts';
import type { ApiType } from '../kube/discovery.ts';
import { kindOf, nameOf } from './live-index.ts';

/** How often to look at what other tools track, and the least time for each of many. */
const FOREIGN_EVERY_MS = 60_000;
const FOREIGN_EACH_MS = 600;

/** Keeps what is known of an Application's objects up to date: looks at what events name, or at all of it. */
export class Comparison {
  private readonly cluster: Cluster;
  private readonly app: Application;
  private readonly dirty = new Set<string>();
  private all = true;
  private foreignAt = 0;

  constructor(cluster: Cluster, app: Application) {
    this.cluster = cluster;
    this.app = app;
  }

  /** Something happened to an object. */
  mark(key: string): void {
    this.dirty.add(key);
  }

  /** Looks at everything the next time. */
  refresh(): void {
    this.all = true;
  }

  /** In how many milliseconds to look again at what other tools track, as no watch tells of it; undefined: nothing is. */
  get foreignIn(): number | undefined {
    return this.foreign().length > 0 ? Math.max(100, this.foreignAt - this.cluster.now()) : undefined;
  }

  private foreign(): string[] {
    const resources = [...this.app.resources.values()];
    return resources.filter(({ foreign }) => foreign && !foreign.shared).map(({ key }) => key);
  }

  get pending(): boolean {
    return this.dirty.size > 0;
  }

  async run(desired: DesiredState, signal: AbortSignal): Promise<void> {
    const { app, cluster } = this;
    const known = await this.watch(desired, signal);
    const foreign = this.foreign();
    if (foreign.length > 0 && cluster.now() >= this.foreignAt) {
      for (const key of foreign) this.dirty.add(key);
      this.foreignAt = cluster.now() + Math.max(FOREIGN_EVERY_MS, foreign.length * FOREIGN_EACH_MS);
    }
    // A look is as old as its beginning: what is applied meanwhile may be seen in parts only.
    const begunAtMs = cluster.now();
    const keys = this.all
      ? new Set([...app.resources.keys(), ...desired.objects.keys(), ...this.dirty])
      : new Set(this.dirty);
    if (this.all) for (const { key } of cluster.index.ownedBy(app.key)) keys.add(key);
    this.dirty.clear();
    const doubtful = triage(cluster, app, desired, keys, known);
    // What forbids all of it, such as an account that may not be used, forbids to look as it.
    if (desired.problems.some(({ key }) => key === '')) doubtful.length = 0;
    let told = 0;
    const unseen: [Resource, KubeObject][] = [];
    await judge(cluster, app, desired, doubtful, signal, (key, verdict) => {
      const resource = app.resources.get(key)!;
      note(app, resource, desired.objects.get(key), verdict, cluster.now());
      told++;
      if ('live' in verdict && !verdict.foreign && known.has(kindOf(key)))
        unseen.push([resource, verdict.live]);
    });
    await this.assessUnseen(unseen, desired);
    this.all = false;
    app.observedAtMs = begunAtMs;
    if (told > 0) cluster.log.debug({ application: app.key, judged: told }, 'compared');
  }

  /** Health of what the API server has and the index does not yet: without it such an object would count as healthy. */
  private async assessUnseen(read: readonly [Resource, KubeObject][], desired: DesiredState): Promise<void> {
    const { index } = this.cluster;
    for (const [resource, live] of read) {
      if (index.get(resource.key)) continue;
      const health = await index.assess(live);
      // Seen meanwhile: that is newer.
      if (index.get(resource.key)) continue;
      resource.health = health?.status ?? '';
      resource.healthMessage = desired.mask(health?.message ?? '');
      resource.message = messageOf(resource);
    }
  }

  /**
   * Watches the kinds of the bundle and of what is left of earlier ones. Answers those (`group/Kind`) of which the
   * index knows all there is: only of them does absence mean something.
   */
  private async watch(desired: DesiredState, signal: AbortSignal): Promise<Set<string>> {
    const { cluster, app } = this;
    // A kind that is no longer served has no objects.
    const known = new Set<string>();
    // Every turn comes here: objects of one kind mostly follow each other, and share their type.
    const types = new Map<string, ApiType>();
    let last: ApiType | undefined;
    for (const { type } of desired.objects.values()) {
      if (!type || type === last) continue;
      types.set(nameOf(type), type);
      last = type;
    }
    const looked = new Set<string>(types.keys());
    for (const key of app.inventory.keys()) {
      const name = kindOf(key);
      if (looked.has(name)) continue;
      looked.add(name);
      const [group, kind] = name.split('/') as [string, string];
      const type = await cluster.discovery.resolveKind(group, kind);
      if (type) types.set(nameOf(type), type);
      else known.add(`${group}/${kind}`);
    }
    const denied = new Set(desired.problems.map(({ key }) => key));
    const useful = [...types.values()].filter((type) => {
      if (!isWatchable(cluster, type)) return false;
      return (
        denied.size === 0 ||
        ![...denied].some((key) => key.startsWith(`${nameOf(type)}/`)) ||
        cluster.index.isReady(type)
      );
    });
    cluster.index.want(app.key, desired.objects.keys());
    await Promise.all(useful.map((type) => cluster.index.ready(type, signal)));
    for (const type of types.values()) if (cluster.index.isReady(type)) known.add(nameOf(type));
    return known;
  }
}
