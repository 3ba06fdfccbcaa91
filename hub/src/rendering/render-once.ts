import { MusterError } from '@muster/base';
import {
  ANNOTATION,
  type KubeObject,
  type Manifest,
  annotationOf,
  describeKey,
  duplicatesOf,
  hooksOf,
  identityOf,
  keyOf,
  problemOf,
  secretValues,
} from '@muster/kube';
import type { FileSource, RenderRequest, RenderResult } from '@muster/renderer';
import type { SourceTree } from '../sources/source-tree.ts';
import type { RenderAsked, RenderReads } from '../store/schema.ts';
import { renderDirectory } from './plain-directory.ts';
import { REFERENCES, withReferences } from './references.ts';
import type { Capabilities, RenderInput } from './render-input.ts';
import { type ReadFile, secretsIn, withoutSecrets } from './secrets.ts';

/** What a render may depend on besides its input and files. */
export interface Surroundings {
  /** `namespace/name` of the Application, and the seed that belongs to it. */
  application: string;
  seed: Uint8Array;
  /** Another Application whose earlier renders hold too. */
  also?: string;
  capabilities: (Capabilities & { hash: string }) | undefined;
  /** Committer time of the last commit that touched the files; undefined: none did. */
  clockOf(reads: RenderReads): Promise<Date | undefined>;
}

export interface RenderedOnce {
  objects: KubeObject[];
  reads: RenderReads;
  asked: RenderAsked;
  notices: string[];
}

type Render = (request: RenderRequest, signal?: AbortSignal) => Promise<RenderResult>;

const DIRECTORY_LIMITS = { maxFiles: 20_000, maxTotalBytes: 64 * 1024 * 1024, maxObjects: 50_000 };
const MAX_OBJECTS = 50_000;
const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

/** Renders one input from a tree. Throws MusterError with file and line where they are known. */
export async function renderOnce(
  input: RenderInput,
  tree: SourceTree,
  around: Surroundings,
  render: Render,
  signal: AbortSignal,
): Promise<RenderedOnce> {
  const seen: Seen = { paths: new Set(), objects: [] };
  try {
    const raw =
      input.tool === 'directory'
        ? await fromDirectory(input, tree, seen)
        : await fromTool(input, tree, around, render, signal, seen);
    return { ...finish(raw.manifests), reads: raw.reads, asked: raw.asked };
  } catch (thrown) {
    signal.throwIfAborted();
    throw withoutSecrets(withReferences(thrown), await secretsOf(input, tree, seen));
  }
}

/** What a render had read and made when it failed: its messages may quote any of it. */
interface Seen {
  paths: Set<string>;
  objects: KubeObject[];
}

const MAX_FILES_SEARCHED = 2000;

async function secretsOf(input: RenderInput, tree: SourceTree, seen: Seen): Promise<Set<string>> {
  const files: ReadFile[] = [];
  for (const path of [...seen.paths].slice(0, MAX_FILES_SEARCHED)) {
    const content = await tree.read(path).catch(() => undefined);
    if (content) files.push({ path, text: content.toString('utf8') });
  }
  const request = input.tool === 'directory' ? {} : input.request;
  return new Set([...secretsIn(request, files), ...secretValues(seen.objects)]);
}

interface Raw {
  manifests: Manifest[];
  reads: RenderReads;
  asked: RenderAsked;
}

async function fromDirectory(
  input: RenderInput & { tool: 'directory' },
  tree: SourceTree,
  seen: Seen,
): Promise<Raw> {
  const reads: RenderReads = { files: {}, dirs: {}, absent: [] };
  try {
    const manifests = await renderDirectory(
      tree.recording(reads),
      input.path,
      input.options,
      DIRECTORY_LIMITS,
    );
    seen.objects.push(...manifests.map(({ object }) => object));
    return { manifests, reads, asked: {} };
  } finally {
    for (const path of Object.keys(reads.files)) seen.paths.add(path);
  }
}

/** Renders with the clock at zero first; only a render that asks for it is done again at the right time. */
async function fromTool(
  input: RenderInput & { tool: 'helm' | 'kustomize' },
  tree: SourceTree,
  around: Surroundings,
  render: Render,
  signal: AbortSignal,
  seen: Seen,
): Promise<Raw> {
  const capabilities = input.tool === 'helm' ? { ...around.capabilities, ...withoutEmpty(input.fixed) } : {};
  const { hash: _hash, ...source } = { hash: '', ...capabilities, ...input.request };
  const request: RenderRequest = {
    source: source as RenderRequest['source'],
    files: filesOf(tree, seen),
    clock: 0,
    seed: around.seed,
  };
  let result = await render(request, signal);
  let reads = await tree.note(result.reads);
  const asked: RenderAsked = {};
  if (result.used.clock) {
    const clock = await around.clockOf(reads);
    asked.clock = Math.floor((clock?.getTime() ?? 0) / 1000);
    result = await render({ ...request, clock: asked.clock * 1000 }, signal);
    reads = await tree.note(result.reads);
  }
  if (result.used.random) asked.random = around.application;
  if (
    result.used.capabilities &&
    around.capabilities &&
    !(input.tool === 'helm' && input.fixed?.kubeVersion && input.fixed.apiVersions.length > 0)
  ) {
    asked.capabilities = around.capabilities.hash;
  }
  seen.objects.push(...result.objects.map(({ object }) => object as unknown as KubeObject));
  const manifests = result.objects.map(({ file, object }) => {
    const problem = problemOf(object);
    if (problem) throw new MusterError('invalid', problem, { where: file });
    return { object: object as unknown as KubeObject, file, line: 0 };
  });
  return { manifests, reads, asked };
}

/**
 * Refuses what cannot be applied; names what is written twice. Hooks stay: agents run them. Those that no phase runs
 * (Helm's tests) go; one whose phase is misspelt is named.
 */
function finish(all: Manifest[]): { objects: KubeObject[]; notices: string[] } {
  if (all.length > MAX_OBJECTS)
    throw new MusterError('limit', `${all.length} objects, more than the ${MAX_OBJECTS} allowed`);
  const notices: string[] = [];
  const run: Manifest[] = [];
  const kept = new Map<string, KubeObject>();
  const unnamed: KubeObject[] = [];
  for (const manifest of all) {
    const { object } = manifest;
    const hook = hooksOf(object);
    if (hook?.phases.length === 0) {
      if (hook.annotation === ANNOTATION.hook) notices.push(neverRun(object));
      continue;
    }
    if (!object.metadata.name && !hook) {
      const message = `${object.kind} has generateName and no name: only hooks may`;
      throw new MusterError('invalid', message, { where: placeOf(manifest) });
    }
    run.push(manifest);
    if (object.metadata.name) kept.set(identityOf(object), object);
    else unnamed.push(object);
  }
  for (const places of duplicatesOf(run).values()) {
    notices.push(
      `${describeKey(keyOf(places[0]!.object))} is written more than once (${places.map(placeOf).join(' and ')}); the last one counts`,
    );
  }
  const objects = [...kept.values(), ...unnamed];
  let bytes = 0;
  for (const object of objects) {
    bytes += JSON.stringify(object).length;
    if (bytes > MAX_BUNDLE_BYTES)
      throw new MusterError('limit', `more than ${MAX_BUNDLE_BYTES} bytes of objects`);
  }
  return { objects, notices: notices.sort() };
}

function neverRun(object: KubeObject): string {
  const said = annotationOf(object, ANNOTATION.hook) ?? '';
  const { name, generateName } = object.metadata;
  const named = describeKey({ ...keyOf(object), name: name || `${generateName}*` });
  return `hook left out: ${named} ("${said.slice(0, 60)}" is no phase)`;
}

const placeOf = ({ file, line }: Manifest) => (line > 0 ? `${file}:${line}` : file);

/** The repository as the renderer reads it: links as they are, the root as `.`. */
function filesOf(tree: SourceTree, seen: Seen): FileSource {
  const pathOf = (path: string) => (path === '.' ? '' : path);
  return {
    async list(dir) {
      const entries = await tree.rawList(pathOf(dir));
      return entries?.flatMap(({ name, kind }) =>
        kind === 'submodule'
          ? []
          : [{ name, type: kind, ...(dir === '.' && name === REFERENCES ? { hidden: true } : {}) }],
      );
    },
    read(path) {
      seen.paths.add(pathOf(path));
      return tree.rawRead(pathOf(path));
    },
  };
}

function withoutEmpty(fixed: Capabilities | undefined): Partial<Capabilities> {
  return {
    ...(fixed?.kubeVersion ? { kubeVersion: fixed.kubeVersion } : {}),
    ...(fixed && fixed.apiVersions.length > 0 ? { apiVersions: fixed.apiVersions } : {}),
  };
}
