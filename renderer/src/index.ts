export { filesIn } from './directory.ts';
export { TemplateEngine, type TemplateEngineOptions } from './gotmpl.ts';
export {
  type LoadedRenderer,
  type LoadOptions,
  buildRenderer,
  loadRenderer,
  rendererVersion,
} from './load.ts';
export { type PoolOptions, RendererPool } from './pool.ts';
export * from './request.ts';
