import {
  type LoadedRenderer,
  type RenderRequest,
  type RenderResult,
  RendererPool,
  TemplateEngine,
  loadRenderer,
  rendererVersion,
} from '@muster/renderer';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../config.ts';

/** The sandbox for Helm, kustomize and Go templates: loaded when it is first needed, then kept warm. */
@Injectable()
export class Renderer implements OnApplicationShutdown {
  #pool: Promise<{ pool: RendererPool; engines: TemplateEngine; renderer: LoadedRenderer }> | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Changes whenever the same input might render differently. */
  async version(): Promise<string> {
    return this.config.rendererWasm ? (await this.#ready()).renderer.version : rendererVersion();
  }

  async render(request: RenderRequest, signal?: AbortSignal): Promise<RenderResult> {
    return (await this.#ready()).pool.render(request, signal);
  }

  /** Go templates and YAML for ApplicationSets. */
  async engines(): Promise<TemplateEngine> {
    return (await this.#ready()).engines;
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
    const renderer = await loadRenderer({
      ...(rendererWasm ? { wasmPath: rendererWasm } : {}),
      memoryMb: renderMemoryMb,
    });
    const pool = new RendererPool(renderer, { size: renderWorkers, timeoutMs: renderTimeoutSeconds * 1000 });
    return { pool, engines: new TemplateEngine(renderer), renderer };
  }

  async onApplicationShutdown(): Promise<void> {
    const started = await this.#pool?.catch(() => undefined);
    await Promise.all([started?.pool.close(), started?.engines.close()]);
  }
}
