import type { JsonObject } from '@muster/base';
import { MusterError } from '@muster/base';
import { ExpansionError, paramsError } from './errors.ts';
import type {
  ClusterFacts,
  DecisionResources,
  ExternalParameters,
  PluginCalls,
  RepoContents,
  YamlReader,
} from './ports.ts';
import type { Language } from './render.ts';
import type { Params } from './params.ts';
import type { Matcher } from './selector.ts';
import type { ApplicationSet, Generator } from './types.ts';

/** What every generator may look at. */
export interface Context {
  set: ApplicationSet;
  clusters: readonly ClusterFacts[];
  repos: RepoContents | undefined;
  external: ExternalParameters | undefined;
  plugins: PluginCalls | undefined;
  resources: DecisionResources | undefined;
  /** Undefined: every project exists. */
  projects: ReadonlySet<string> | undefined;
  language: Language;
  yaml: YamlReader;
  implicitLocalCluster: boolean;
  newGitFileGlobbing: boolean;
  signal: AbortSignal | undefined;
  /** The cluster that a parameter set is made of, by name; sets of no cluster, or of several, are not in it. */
  origins: WeakMap<Params, string>;
  /** The parameter sets of a child of a matrix or merge. */
  child(generator: Generator, where: string, depth: number, selector?: Matcher): Promise<Params[]>;
}

/** Runs `work`; what it throws becomes an ExpansionError at `where`, its message led by `prefix`. */
export async function within<T>(where: string, prefix: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as Error)?.name === 'AbortError') throw error;
    throw ExpansionError.wrap(error, 'ApplicationGenerationFromParamsError', where, prefix);
  }
}

/** The list at a field; absent and null are empty. */
export function listAt<T>(value: T[] | undefined | null, where: string): T[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw paramsError('this must be a list', where);
  return value;
}

/** The text at a field; absent and null are empty. */
export function textAt(value: unknown, where: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw paramsError('this must be a text', where);
  return value;
}

/** The map at a field; absent and null are empty. */
export function mapAt(value: unknown, where: string): JsonObject {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw paramsError('this must be a map', where);
  return value as JsonObject;
}

/** A map of texts, as `values` is. */
export function textsAt(value: unknown, where: string): Record<string, string> {
  const map = mapAt(value, where);
  for (const key of Object.keys(map)) textAt(map[key], `${where}.${key}`);
  return map as Record<string, string>;
}

/** An input that the caller did not give, such as repositories for a git generator. */
export function missingInput(what: string, where: string): MusterError {
  return new MusterError('precondition', `${what} is needed to expand this generator`, { where });
}
