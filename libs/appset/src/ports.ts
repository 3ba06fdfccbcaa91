import type { JsonObject } from '@muster/base';
import type { Params } from './params.ts';
import type { Generator } from './types.ts';

/** What expansion knows of a registered cluster. `server` and `name` are what Applications name it by. */
export interface ClusterFacts {
  name: string;
  server: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  project?: string;
  /** Where the cluster's Secret lives; one outside Argo CD's namespace is not seen. Absent: where it is seen. */
  namespace?: string;
}

/** A repository at one revision. Paths are relative to its root, with `/`. */
export interface RepoTree {
  /** Every file, in any order. */
  files: Iterable<string>;
  /** Directories without files below them, where the source knows such (Git does not). */
  directories?: Iterable<string>;
  /** The file's text; called only for files that a generator matched. */
  read(path: string): string | Promise<string>;
}

/** Where git generators read; the revision may be empty (the default branch). A failure ends the expansion. */
export interface RepoContents {
  tree(repoURL: string, revision: string, signal?: AbortSignal): RepoTree | Promise<RepoTree>;
}

export type ExternalKind = 'scmProvider' | 'pullRequest';

/** Answers generators that ask a host of repositories: lists of parameter sets, shaped for the engine at hand. */
export interface ExternalParameters {
  parameters(
    kind: ExternalKind,
    generator: NonNullable<Generator[ExternalKind]>,
    context: { goTemplate: boolean; namespace: string; name: string },
    signal?: AbortSignal,
  ): Promise<Params[]>;
}

/** What a plugin is asked, as Argo CD's plugins are: the body of `POST …/api/v1/getparams.execute`. */
export interface PluginRequest {
  applicationSetName: string;
  input: { parameters?: JsonObject };
}

/** Calls plugins by the name that `configMapRef` gives; answers `output.parameters`. */
export interface PluginCalls {
  call(name: string, request: PluginRequest, signal?: AbortSignal): Promise<JsonObject[]>;
}

/** A resource whose status lists decisions on clusters. */
export interface DecisionResource {
  metadata: { name: string; labels?: Record<string, string> };
  status?: unknown;
}

/** Where the clusterDecisionResource generator finds its ConfigMap and the resources that it speaks of. */
export interface DecisionResources {
  /** Undefined: there is none of this name. */
  configMap(name: string, signal?: AbortSignal): Promise<Record<string, string> | undefined>;
  /** All of a kind, in the order of their names; `resource` is the plural in lower case, as in the ConfigMap. */
  list(apiVersion: string, resource: string, signal?: AbortSignal): Promise<DecisionResource[]>;
}

export interface GoTemplateRequest {
  /** Rendered in this order for each parameter set; what one text sets the next one sees. */
  texts: string[];
  /** Parameter sets; instances of StringMap, StringList and MapList are Go's typed maps and lists. */
  paramSets: readonly Record<string, unknown>[];
  /** text/template options such as `missingkey=error`. */
  options: string[];
  /** Each text stands alone: an error takes its place and nothing stops. */
  independent?: boolean;
}

/** An error of one text: `text` is its index. */
export interface TextFailure {
  error: string;
  text: number;
}

export interface RenderedRows {
  /** One row per parameter set, one string per text; shorter when `failure` ended the batch. */
  rows: (string | TextFailure)[][];
  failure?: TextFailure;
}

/** Go's text/template with sprig and Argo CD's functions, over whole batches. */
export interface GoTemplateEngine {
  render(request: GoTemplateRequest, signal?: AbortSignal): Promise<RenderedRows>;
  /** Texts as DNS labels of at most 50 characters, cut at a word: what the reference makes of a branch's name. */
  slugs(texts: string[], signal?: AbortSignal): Promise<string[]>;
}

/** YAML as Kubernetes reads it, to JSON text: one answer per text. */
export interface YamlReader {
  toJson(texts: string[], signal?: AbortSignal): Promise<(string | TextFailure)[]>;
}

/** What expansion cannot do in TypeScript and stay exact; `@muster/renderer` has the one over WASI. */
export interface TemplateEngines {
  goTemplate: GoTemplateEngine;
  yaml: YamlReader;
}
