import type { Json, JsonObject } from '@muster/base';

/** A member of a directory. `size` in bytes, where it is known without reading, lets a large file be refused unread. */
export interface Entry {
  name: string;
  type: 'file' | 'dir' | 'symlink';
  size?: number;
  /** Reached by its path only: no listing shows it, so that a chart does not take it for one of its files. */
  hidden?: boolean;
}

/**
 * The repository at one commit. Paths are relative to its root with forward slashes; the root is `.`.
 * `undefined` means that there is no such directory or file. A symbolic link's bytes are its target, as in Git.
 */
export interface FileSource {
  list(dir: string): Promise<Entry[] | undefined>;
  read(path: string): Promise<Uint8Array | undefined>;
}

/** A repository made of texts, for tests and for what exists only in memory. Empty directories cannot be told. */
export function filesOf(contents: Record<string, string | Uint8Array>): FileSource {
  const bytes = new Map(Object.entries(contents).map(([path, data]) => [path, Buffer.from(data)]));
  return {
    list: async (dir) => {
      const prefix = dir === '.' ? '' : `${dir}/`;
      const entries = new Map<string, Entry>();
      for (const [path, data] of bytes) {
        if (!path.startsWith(prefix)) continue;
        const [name, ...rest] = path.slice(prefix.length).split('/');
        const entry: Entry = { name: name!, type: 'file', size: data.length };
        entries.set(name!, rest.length > 0 ? { name: name!, type: 'dir' } : entry);
      }
      return entries.size > 0 ? [...entries.values()] : undefined;
    },
    read: async (path) => bytes.get(path),
  };
}

/** Listings and files handed over with the request, which then cost no round trip; the rest comes from the FileSource. */
export interface Preload {
  lists?: Record<string, Entry[]>;
  files?: Record<string, Uint8Array>;
}

/** `spec.source.helm` in Argo CD's words, with the chart's path and the destination's facts. */
export interface HelmRequest {
  kind: 'helm';
  /** The chart's directory. */
  path: string;
  releaseName: string;
  namespace: string;
  kubeVersion?: string;
  apiVersions?: string[];
  valueFiles?: string[];
  ignoreMissingValueFiles?: boolean;
  values?: string;
  valuesObject?: JsonObject;
  parameters?: { name: string; value: string; forceString?: boolean }[];
  fileParameters?: { name: string; path: string }[];
  /** Default true; Argo CD's `skipCrds` is its opposite. */
  includeCRDs?: boolean;
  skipSchemaValidation?: boolean;
  skipTests?: boolean;
  /** Argo CD's build environment, expanded in parameters and in the paths of value files. */
  env?: Record<string, string>;
}

/** `spec.source.kustomize` in Argo CD's words, with the path of the kustomization's directory. */
export interface KustomizeRequest {
  kind: 'kustomize';
  path: string;
  namePrefix?: string;
  nameSuffix?: string;
  namespace?: string;
  images?: string[];
  replicas?: { name: string; count: number | string }[];
  commonLabels?: Record<string, string>;
  labelWithoutSelector?: boolean;
  labelIncludeTemplates?: boolean;
  forceCommonLabels?: boolean;
  commonAnnotations?: Record<string, string>;
  commonAnnotationsEnvsubst?: boolean;
  forceCommonAnnotations?: boolean;
  patches?: {
    path?: string;
    patch?: string;
    target?: Record<string, string>;
    options?: Record<string, boolean>;
  }[];
  components?: string[];
  ignoreMissingComponents?: boolean;
  env?: Record<string, string>;
}

/** The bounds of one render; each has a default. */
export interface Bounds {
  /** Bytes of all files read together: 64 MiB. */
  totalBytes?: number;
  /** Bytes of one file: 16 MiB. */
  fileBytes?: number;
  /** Files and directories looked at: 20,000. */
  fileCount?: number;
  /** Bytes of the rendered objects as JSON: 64 MiB. */
  outputBytes?: number;
}

/** One render: what to render, and everything it may depend on. */
export interface RenderRequest {
  source: HelmRequest | KustomizeRequest;
  files: FileSource;
  preload?: Preload;
  /** Unix time in milliseconds at which the templates' clock stands. */
  clock: number;
  /** 32 bytes from which everything random in the render follows. */
  seed: Uint8Array;
  bounds?: Bounds;
}

/** The files, directories and absences that a render looked at; root-relative, sorted, without repetitions. */
export interface Reads {
  files: string[];
  dirs: string[];
  absent: string[];
}

/** What a render asked for beyond its files and values; only what is true is an input of it. */
export interface Used {
  clock: boolean;
  random: boolean;
  capabilities: boolean;
}

/** A rendered Kubernetes object and the template or kustomization file it came from. */
export interface RenderedObject {
  file: string;
  object: { [key: string]: Json };
}

/** Objects in the order in which `helm template` or `kustomize build` prints them; Lists are taken apart. */
export interface RenderResult {
  objects: RenderedObject[];
  reads: Reads;
  used: Used;
}
