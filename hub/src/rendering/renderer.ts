import { type LoadedRenderer, type RenderRequest, type RenderResult, RendererPool, loadRenderer, rendererVersion } from '@muster/renderer';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../config.ts';

/** The sandbox for Helm, kustomize and Go templates: loaded when it is first needed, then kept warm. */
@Injectable()
export class Renderer implements OnApplicationShutdown {
  #pool: Promise<{ pool: RendererPool; renderer: LoadedRenderer }> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Changes whenever the same input might render differently. */
  async version(): Promise<string> {
    return this.config.rendererWasm ? (await this.#ready()).renderer.version : rendererVersion();
  }

  async render(request: RenderRequest, signal?: AbortSignal): Promise<RenderResult> {
    return (await this.#ready()).pool.render(request, signal);
  }

  async pool(): Promise<RendererPool> {
    return (await this.#ready()).pool;
  }

  #ready() {
    this.#pool ??= this.#start().catch((thrown: unknown) => {
      // The next render tries again.
      this.#pool = undefined;
      throw thrown;
    });
    return this.#pool;
  }

  async #start() {
    const { rendererWasm, renderMemoryMb, renderWorkers, renderTimeoutSeconds } = this.config;
    const renderer = await loadRenderer({ ...(rendererWasm ? { wasmPath: rendererWasm } : {}), memoryMb: renderMemoryMb });
    const pool = new RendererPool(renderer, { size: renderWorkers, timeoutMs: renderTimeoutSeconds * 1000 });
    return { pool, renderer };
  }

  async onApplicationShutdown(): Promise<void> {
    const started = await this.#pool?.catch(() => undefined);
    await started?.pool.close();
  }
}
