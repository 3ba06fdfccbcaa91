/** Folders in a module of the build, by their paths in it. */
export interface ModuleFolders {
  module: string;
  folders: string[];
}

export interface GoBuildOptions {
  /** Prefix of the cache folder and the name in messages. */
  name: string;
  /** The module's folder; `go build` runs there. */
  dir: string;
  /** File name of the result inside the cache folder; `name` unless told. */
  output?: string;
  /** What to build; `.` unless told. Of several, each is called as its package, and `output` is one of them. */
  package?: string | string[];
  /** Further arguments of `go build`, e.g. `['-ldflags', '-s -w']`. */
  args?: string[];
  /** Environment on top of the process's own and CGO_ENABLED=0, e.g. `{ GOOS: 'wasip1', GOARCH: 'wasm' }`. */
  env?: Record<string, string>;
  /** Files and folders (absolute, or relative to `dir`) that make up the cache key; the whole of `dir` unless told. */
  inputs?: string[];
  /** What it is for, in a few words, shown while it builds. */
  what?: string;
  /** How long a build takes on two cores. */
  seconds?: number;
  /** Links to the result to make beside it. */
  links?: string[];
  /** Folders of modules that the program, or whoever starts it, reads; copied beside it. */
  beside?: ModuleFolders | ModuleFolders[];
  log?: (line: string) => void;
  signal?: AbortSignal;
}

/** Builds one Go program into the cache outside the clone and answers its absolute path; at once when it is there. */
export function ensureGoBuild(options: GoBuildOptions): Promise<string>;

/**
 * The absolute path of `control-plane`, one of `controlPlanePrograms`, `helm`, `gitea`, `registry` or (the first program of)
 * `argo-rollouts`, `sealed-secrets` or `flux`; builds it when it is not cached.
 */
export function ensureGoTool(
  name: string,
  options?: { log?: (line: string) => void; signal?: AbortSignal },
): Promise<string>;

/** Whether `ensureGoTool(name)` would answer at once, with the seconds that building takes on two cores. */
export function goToolState(name: string): { cached: boolean; seconds: number; what: string };

/** Where built tools live. */
export function toolsFolder(env?: Record<string, string | undefined>): string;

/** The programs of the control-plane binary. */
export const controlPlanePrograms: readonly string[];
