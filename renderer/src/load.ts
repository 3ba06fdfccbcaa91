import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MusterError } from '@muster/base';
import type { CompiledRenderer } from './sandbox.ts';
import { patchModule } from './wasm-patch.ts';
import { wasm } from './webassembly.ts';

/** How to find the renderer. */
export interface LoadOptions {
  /** A built renderer; without it the cache outside the clone is asked, and Go builds it when it is not there. */
  wasmPath?: string;
  /** What one instance may use at most; default 512. */
  memoryMb?: number;
  log?: (line: string) => void;
  signal?: AbortSignal;
}

/** A renderer that pools can start workers from. */
export interface LoadedRenderer extends CompiledRenderer {
  /** Changes whenever the same input might render differently; a part of every cache key. */
  version: string;
  path: string;
}

const PAGES_PER_MB = 16;
/** Part of the version: to be raised when this side (random stream, clock, warm-up) changes what renders. */
const HOST_REVISION = '1';

interface GoTools {
  ensureGoBuild(options: Record<string, unknown>): Promise<string>;
}

/** Finds or builds the renderer and compiles it. Errors: `unavailable` when it is not there and cannot be built. */
export async function loadRenderer(options: LoadOptions = {}): Promise<LoadedRenderer> {
  const memoryMb = options.memoryMb ?? 512;
  const path = options.wasmPath ?? (await buildRenderer(options));
  const built = await readFile(path).catch((cause: unknown) => {
    throw new MusterError('unavailable', `the renderer cannot be read from ${path}`, { cause });
  });
  const { bytes, globals } = patchModule(built, memoryMb * PAGES_PER_MB);
  const module = await wasm.compile(bytes);
  // A wasmPath may come without the sources (in an image), so the version is that of the binary there.
  const version = options.wasmPath ? contentHash([['renderer.wasm', built]]) : rendererVersion();
  return { module, globals, memoryMb, version, path };
}

/** Builds the renderer into the cache outside the clone, or finds it there; answers its absolute path. */
export async function buildRenderer(options: Pick<LoadOptions, 'log' | 'signal'> = {}): Promise<string> {
  const source = sourceFolder();
  // Not a static import: a bundled hub in an image is started with wasmPath and ships without tools/.
  const tools = pathToFileURL(join(source, '..', 'tools', 'go-tools.mjs')).href;
  const { ensureGoBuild } = (await import(tools)) as GoTools;
  return await ensureGoBuild({
    name: 'renderer',
    dir: source,
    output: 'renderer.wasm',
    args: ['-p', '2', '-buildmode=c-shared', '-ldflags', '-s -w'],
    env: { GOOS: 'wasip1', GOARCH: 'wasm' },
    inputs: goFiles(source),
    what: "Helm's and kustomize's engines as WebAssembly",
    seconds: 150,
    log: options.log,
    signal: options.signal,
  });
}

/** The content hash of the Go sources and their pinned modules: 16 hex digits. */
export function rendererVersion(): string {
  const source = sourceFolder();
  return contentHash(
    goFiles(source).map((file) => [relative(source, file).split(sep).join('/'), readFileSync(file)]),
  );
}

/** renderer/, seen from here or from a bundle in a package's dist/. */
function sourceFolder(): string {
  const places = ['..', '../../renderer'].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = places.find((place) => existsSync(join(place, 'exports_wasip1.go')));
  if (found) return found;
  throw new MusterError('unavailable', 'the sources of the renderer are not there to build it from', {
    hint: 'Set the path of a built renderer.wasm.',
  });
}

function contentHash(files: [name: string, bytes: Uint8Array][]): string {
  const hash = createHash('sha256').update(`${HOST_REVISION}\n`);
  for (const [name, bytes] of files.sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

/** What the build depends on: Go files without tests, go.mod and go.sum. */
function goFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      return ['node_modules', 'src', 'testdata', 'dist'].includes(entry.name) ? [] : goFiles(path);
    }
    const built = entry.name.endsWith('.go') && !entry.name.endsWith('_test.go');
    return built || entry.name === 'go.mod' || entry.name === 'go.sum' ? [path] : [];
  });
}
