import type { Application, ApplicationSource } from '@muster/appset';
import { type Json, type JsonObject, MusterError, parseDocument } from '@muster/base';
import type { PlacedSource } from '../applications/application-sources.ts';
import { source as shape, sourceProblems } from '../applications/source-manifest.ts';
import { issuesOf } from '../projects/issues.ts';
import type { SourceTree } from '../sources/source-tree.ts';
import { secretsIn, withoutSecrets } from './secrets.ts';

/** The namespace whose Applications are called by their name alone. */
const HOME = 'argocd';

/** Files beside what is rendered that change how, in the order in which they do: for all Applications, for this one. */
export function overrideFiles({ metadata }: Application): string[] {
  const { namespace, name } = metadata;
  const called = namespace && namespace !== HOME ? `${namespace}_${name}` : name;
  return ['.argocd-source.yaml', `.argocd-source-${called}.yaml`];
}

/**
 * The source with the files merged into it, as Argo CD does: a JSON merge patch each, which decides on the settings of
 * the tools and on nothing else. Throws what is wrong with a file, by its name.
 */
export async function overridden(
  placed: PlacedSource,
  tree: SourceTree,
  files: readonly string[],
): Promise<ApplicationSource> {
  const { source, where } = placed;
  let merged: Json = source as JsonObject;
  for (const file of files) {
    const patch = parsed(file, (await tree.read(file)) ?? Buffer.alloc(0));
    // An empty file changes nothing.
    if (patch === null) continue;
    if (!isObject(patch)) throw new MusterError('invalid', 'is not a mapping of fields', { where: file });
    merged = mergePatch(merged, patch);
    const checked = shape.safeParse({ ...(merged as JsonObject), ...fixedOf(source) });
    if (!checked.success) throw new MusterError('invalid', issuesOf(checked.error), { where: file });
    const problems = sourceProblems({ ...placed, source: checked.data as ApplicationSource });
    if (problems.length > 0) {
      const said = problems.map((problem) => problem.slice(where.length).replace(/^[.:] ?/, ''));
      throw new MusterError('unsupported', said.join('; '), { where: file });
    }
  }
  const {
    repoURL: _url,
    path: _path,
    targetRevision: _at,
    chart: _chart,
    ref: _ref,
    name: _name,
    ...rest
  } = merged as JsonObject;
  return { ...rest, ...fixedOf(source) } as ApplicationSource;
}

function parsed(path: string, content: Buffer): Json {
  try {
    return parseDocument(content, { file: path });
  } catch (thrown) {
    throw withoutSecrets(thrown, secretsIn({}, [{ path, text: content.toString('utf8') }]));
  }
}

/** What a file in the source cannot change: where it is. */
function fixedOf({ repoURL, path, targetRevision, chart, ref, name }: ApplicationSource) {
  return {
    repoURL,
    ...(path === undefined ? {} : { path }),
    ...(targetRevision === undefined ? {} : { targetRevision }),
    ...(chart === undefined ? {} : { chart }),
    ...(ref === undefined ? {} : { ref }),
    ...(name === undefined ? {} : { name }),
  };
}

/** RFC 7396: null takes a member away, lists are replaced. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (key !== '__proto__') merged[key] = mergePatch(merged[key] ?? null, value);
  }
  return merged;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
