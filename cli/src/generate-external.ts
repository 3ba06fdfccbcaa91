import { readFile } from 'node:fs/promises';
import { type DecisionResource, type DecisionResources, type PluginCalls, pluralOf } from '@muster/appset';
import { type JsonObject, MusterError } from '@muster/base';
import { readDocuments } from './documents.ts';
import { UsageError } from './exit.ts';
import type { Terminal } from './terminal.ts';

/** Plugins whose answers are in files: `NAME=FILE`, each the body of an answer or its list of parameter sets. */
export function filesAsPlugins(pairs: readonly string[]): PluginCalls {
  const files = new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1 || at === pair.length - 1) throw new UsageError(`--plugin ${pair} is not NAME=FILE`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  return {
    async call(name) {
      const file = files.get(name);
      if (file === undefined)
        throw new MusterError(
          'not-found',
          `no answer of the plugin ${name} was given; nothing is called offline`,
          {
            hint: `--plugin ${name}=FILE.json`,
          },
        );
      return setsOf(await textOf(file), file);
    },
  };
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    throw new MusterError('invalid', thrown.code === 'ENOENT' ? 'no such file' : thrown.message, {
      where: file,
    });
  });
}

function setsOf(text: string, file: string): JsonObject[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (thrown) {
    throw new MusterError('invalid', `not JSON: ${(thrown as Error).message}`, { where: file });
  }
  const sets = Array.isArray(body)
    ? body
    : (body as { output?: { parameters?: unknown } } | null)?.output?.parameters;
  if (
    Array.isArray(sets) &&
    sets.every((set) => set !== null && typeof set === 'object' && !Array.isArray(set))
  )
    return sets as JsonObject[];
  throw new MusterError('invalid', 'must be {"output": {"parameters": [{…}, …]}}, or the list alone', {
    where: file,
  });
}

/** ConfigMaps and resources of files, as the clusterDecisionResource generator reads them. */
export async function filesAsResources(
  files: readonly string[],
  terminal: Terminal,
): Promise<DecisionResources> {
  const documents = files.length === 0 ? [] : await readDocuments(files, { terminal });
  const all = documents.map(({ value }) => value as unknown as DecisionResource & Kinded);
  return {
    configMap: async (name) => {
      const found = all.find((one) => one.kind === 'ConfigMap' && one.metadata?.name === name);
      if (!found && files.length === 0)
        throw new MusterError('not-found', `the ConfigMap ${name} was not given`, {
          hint: '--resources FILE',
        });
      return found && (found.data ?? {});
    },
    list: async (apiVersion, resource) =>
      all
        .filter((one) => one.apiVersion === apiVersion && pluralOf(String(one.kind)) === resource)
        .filter((one) => typeof one.metadata?.name === 'string')
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
  };
}

interface Kinded {
  apiVersion?: unknown;
  kind?: unknown;
  data?: Record<string, string>;
}
