import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';

/** One kind that the API server serves. */
export interface ApiType {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  verbs: string[];
}

interface AggregatedList {
  items?: {
    metadata: { name?: string };
    versions: {
      version: string;
      resources?: {
        resource: string;
        responseKind?: { group: string; version: string; kind: string };
        scope: 'Namespaced' | 'Cluster';
        verbs: string[];
      }[];
    }[];
  }[];
}

interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
const REFRESH_AT_MOST_EVERY_MS = 2_000;

/** The kinds that the API server serves: asked once, and again when a kind is unknown. */
export class Discovery {
  private readonly client: KubeClient;
  private types = new Map<string, ApiType>();
  private preferred = new Map<string, string>();
  private loadedAt = 0;
  private loading: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(client: KubeClient) {
    this.client = client;
  }

  /** The kind, or undefined when it is not served even after asking again. */
  async resolve(apiVersion: string, kind: string): Promise<ApiType | undefined> {
    const key = `${apiVersion}/${kind}`;
    if (this.loadedAt === 0) await this.refresh();
    const known = this.types.get(key);
    if (known || Date.now() - this.loadedAt < REFRESH_AT_MOST_EVERY_MS) return known;
    await this.refresh();
    return this.types.get(key);
  }

  /** A served version of a kind, for objects known by group and kind alone. */
  async resolveKind(group: string, kind: string): Promise<ApiType | undefined> {
    if (this.loadedAt === 0) await this.refresh();
    const find = () => {
      const version = this.preferred.get(`${group}/${kind}`);
      return version === undefined ? undefined : this.types.get(`${apiVersionOf(group, version)}/${kind}`);
    };
    if (find() || Date.now() - this.loadedAt < REFRESH_AT_MOST_EVERY_MS) return find();
    await this.refresh();
    return find();
  }

  /** One version of every kind that can be listed and deleted. */
  async removable(): Promise<ApiType[]> {
    if (this.loadedAt === 0) await this.refresh();
    return [...this.types.values()].filter(
      ({ group, version, kind, verbs }) =>
        this.preferred.get(`${group}/${kind}`) === version &&
        verbs.includes('list') &&
        verbs.includes('delete'),
    );
  }

  /** "group/version" and "group/version/Kind", sorted, as Helm's .Capabilities.APIVersions holds them. */
  async apiVersions(): Promise<string[]> {
    if (this.loadedAt === 0) await this.refresh();
    const names = new Set<string>();
    for (const [key, type] of this.types) {
      names.add(key);
      names.add(apiVersionOf(type.group, type.version));
    }
    return [...names].sort();
  }

  /** Asks the API server again, never before this call; calls that overlap share one answer. */
  refresh(): Promise<void> {
    if (!this.loading) {
      this.loading = this.load().finally(() => {
        this.loading = undefined;
      });
      return this.loading;
    }
    // What is under way may have asked before the kind was there that the caller knows of.
    this.next ??= this.loading
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return this.refresh();
      });
    return this.next;
  }

  private async load(): Promise<void> {
    const types = new Map<string, ApiType>();
    const preferred = new Map<string, string>();
    const add = (type: ApiType) => {
      types.set(`${apiVersionOf(type.group, type.version)}/${type.kind}`, type);
      const key = `${type.group}/${type.kind}`;
      if (!preferred.has(key)) preferred.set(key, type.version);
    };
    for (const root of ['/api', '/apis']) {
      const answer = await this.client.call<AggregatedList & { kind?: string }>(root, { accept: AGGREGATED });
      if (answer.kind === 'APIGroupDiscoveryList') readAggregated(answer, add);
      else await this.readClassic(root, answer as never, add);
    }
    this.types = types;
    this.preferred = preferred;
    this.loadedAt = Date.now();
  }

  /** API servers older than 1.26, and proxies that drop the accept header. */
  private async readClassic(
    root: string,
    answer: { versions?: string[]; groups?: { name: string; versions: { version: string }[] }[] },
    add: (type: ApiType) => void,
  ): Promise<void> {
    const pairs = (answer.versions ?? []).map((version) => ({ group: '', version }));
    for (const { name, versions } of answer.groups ?? []) {
      for (const { version } of versions) pairs.push({ group: name, version });
    }
    for (const { group, version } of pairs) {
      try {
        const path = group ? `${root}/${group}/${version}` : `${root}/${version}`;
        const { resources } = await this.client.call<ResourceList>(path);
        for (const { name, kind, namespaced, verbs } of resources) {
          if (!name.includes('/')) add({ group, version, kind, plural: name, namespaced, verbs });
        }
      } catch (thrown) {
        // One aggregated API that is down hides its own kinds, not all others.
        if (!(thrown instanceof KubeError) || !(thrown.transient || thrown.notFound)) throw thrown;
      }
    }
  }
}

/** "v1" for the core group, else "group/version". */
export function apiVersionOf(group: string, version: string): string {
  return group ? `${group}/${version}` : version;
}

function readAggregated(list: AggregatedList, add: (type: ApiType) => void): void {
  for (const { metadata, versions } of list.items ?? []) {
    for (const { version, resources } of versions) {
      for (const { resource, responseKind, scope, verbs } of resources ?? []) {
        if (!responseKind) continue;
        const namespaced = scope === 'Namespaced';
        add({
          group: metadata.name ?? '',
          version,
          kind: responseKind.kind,
          plural: resource,
          namespaced,
          verbs,
        });
      }
    }
  }
}
