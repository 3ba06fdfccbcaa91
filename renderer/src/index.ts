export { FileView, type SyncFileSource } from './file-view.ts';
export {
  type LoadedRenderer,
  type LoadOptions,
  buildRenderer,
  loadRenderer,
  rendererVersion,
} from './load.ts';
export { type PoolOptions, RendererPool } from './pool.ts';
export * from './request.ts';
export { TemplateEngine, type TemplateEngineOptions } from './gotmpl.ts';
