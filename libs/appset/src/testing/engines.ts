import { loadRenderer, TemplateEngine } from '@muster/renderer';
import { afterAll, beforeAll } from 'vitest';
import type { TemplateEngines } from '../ports.ts';

/** Building the renderer takes minutes where it is not in the cache yet. */
const BUILD_MS = 600_000;

/** The real engines for a test file; started before its tests and stopped after them. */
export function realEngines(options: ConstructorParameters<typeof TemplateEngine>[1] = {}): TemplateEngines {
  let engine: TemplateEngine;
  beforeAll(async () => {
    engine = new TemplateEngine(
      await loadRenderer({ memoryMb: 256, wasmPath: process.env['MUSTER_RENDERER_WASM'] }),
      options,
    );
    await engine.yaml.toJson(['{}']);
  }, BUILD_MS);
  afterAll(() => engine?.close());
  return {
    goTemplate: {
      render: (request, signal) => engine.goTemplate.render(request, signal),
      slugs: (texts, signal) => engine.goTemplate.slugs(texts, signal),
    },
    yaml: { toJson: (texts, signal) => engine.yaml.toJson(texts, signal) },
  };
}
