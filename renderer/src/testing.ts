import { loadRenderer } from './load.ts';
import { RendererPool, type PoolOptions } from './pool.ts';
import { filesOf, type HelmRequest, type KustomizeRequest, type RenderResult } from './request.ts';

/** What the tests of this package share: a pool on the built renderer, and renders of texts. */
export class TestRenderer {
  readonly pool: RendererPool;

  constructor(pool: RendererPool) {
    this.pool = pool;
  }

  static async start(options: PoolOptions & { memoryMb?: number } = {}): Promise<TestRenderer> {
    const pool = new RendererPool(await loadRenderer({ memoryMb: options.memoryMb }), options);
    await pool.ready();
    return new TestRenderer(pool);
  }

  /** Renders the chart in `chart/`; `Chart.yaml` is there already. */
  helm(
    files: Record<string, string>,
    source: Partial<HelmRequest> = {},
    world: { clock?: number; seed?: number } = {},
  ): Promise<RenderResult> {
    return this.pool.render({
      source: { kind: 'helm', path: 'chart', releaseName: 'web', namespace: 'shop', ...source },
      files: filesOf({ 'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.2.3\n', ...files }),
      clock: world.clock ?? 0,
      seed: new Uint8Array(32).fill(world.seed ?? 0),
    });
  }

  /** Builds the kustomization in `app/`. */
  kustomize(files: Record<string, string>, source: Partial<KustomizeRequest> = {}): Promise<RenderResult> {
    return this.pool.render({
      source: { kind: 'kustomize', path: 'app', ...source },
      files: filesOf(files),
      clock: 0,
      seed: new Uint8Array(32),
    });
  }
}

/** A chart's template of one ConfigMap with these lines of data. */
export function configMap(...data: string[]): string {
  const lines = data.map((line) => `  ${line}\n`).join('');
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n${lines}`;
}

/** The data of the first object. */
export function dataOf(result: RenderResult): Record<string, unknown> {
  return result.objects[0]?.object['data'] as Record<string, unknown>;
}

/** `kind/name` of each object, in order. */
export function names(result: RenderResult): string[] {
  return result.objects.map(({ object }) => {
    const { name } = object['metadata'] as { name: string };
    return `${object['kind']}/${name}`;
  });
}
