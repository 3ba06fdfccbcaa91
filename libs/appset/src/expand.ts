import type { JsonObject } from '@muster/base';
import { MusterError } from '@muster/base';
import { checkApplications, Output } from './bounds.ts';
import { type Context, listAt, mapAt, textAt } from './context.ts';
import { decodeStruct } from './decode.ts';
import { ExpansionError, paramsError, renderError } from './errors.ts';
import { type Generated, generate, generateChild } from './generators/generate.ts';
import { fillTemplate } from './override.ts';
import { isEmptySet, type Params } from './params.ts';
import { applyPatches } from './patch.ts';
import { type Plan, planTemplate } from './plan.ts';
import type {
  ClusterFacts,
  DecisionResources,
  ExternalParameters,
  PluginCalls,
  RepoContents,
  TemplateEngines,
} from './ports.ts';
import { renderTexts, TextError } from './render.ts';
import { templateShape } from './schema.ts';
import type { Application, ApplicationSet, ApplicationTemplate } from './types.ts';
import { validateApplications } from './validate.ts';

export const RESOURCES_FINALIZER = 'resources-finalizer.argocd.argoproj.io';

export interface ExpandOptions {
  /** Adds the cluster `in-cluster` where the reference does; true offline, false in a hub. */
  implicitLocalCluster?: boolean;
  /** Looks destinations up among the clusters given. */
  validateDestinations?: boolean;
  /** `**`-style globbing of git files instead of `git ls-files` pathspecs. */
  newGitFileGlobbing?: boolean;
}

export interface ExpandInput {
  applicationSet: ApplicationSet;
  clusters?: readonly ClusterFacts[];
  repos?: RepoContents;
  external?: ExternalParameters;
  plugins?: PluginCalls;
  resources?: DecisionResources;
  /** Names; absent means that every project exists. */
  projects?: Iterable<string>;
  options?: ExpandOptions;
}

export interface Expansion {
  /** In no particular order. They share frozen parts: copy before changing one. */
  applications: Application[];
  /** By `namespace/name`: applications that are to be skipped, neither written nor deleted. */
  validationErrors: Record<string, string>;
  /** The cluster that each of `applications` was generated from, by name; of a matrix of clusters, the first one's. */
  origins?: (string | undefined)[];
}

/**
 * Expands an ApplicationSet as Argo CD 3.6 does. Any failure in a generator or a rendering throws an ExpansionError
 * (`reason`, `where` names the field) and means that nothing at all may change.
 */
export async function expand(
  input: ExpandInput,
  engines: TemplateEngines,
  signal?: AbortSignal,
): Promise<Expansion> {
  try {
    return await run(input, engines, signal);
  } catch (error) {
    // What is nested too deeply for the stack ends here; no document may crash the caller.
    if (error instanceof MusterError || signal?.aborted) throw error;
    throw ExpansionError.wrap(error, 'RenderTemplateParamsError', 'spec');
  }
}

async function run(input: ExpandInput, engines: TemplateEngines, signal?: AbortSignal): Promise<Expansion> {
  const context = contextOf(input, engines, signal);
  const { spec, metadata } = context.set;
  const common = decodeTemplate(spec.template, 'spec.template');
  const applications: Application[] = [];
  const origins: (string | undefined)[] = [];
  for (const [i, generator] of listAt(spec.generators, 'spec.generators').entries()) {
    const where = `spec.generators[${i}]`;
    for (const generated of await generate(mapAt(generator, where), context, where)) {
      checkApplications(applications.length + generated.sets.length, where);
      const template = templateFor(generated, common, `${where}.${generated.kind}.template`);
      for (const application of await render(template, generated.sets, context)) {
        applications.push(finish(application, metadata.namespace));
      }
      for (const params of generated.sets) origins.push(context.origins.get(params));
    }
  }
  const validationErrors = validateApplications(applications, {
    set: metadata.name,
    projects: context.projects,
    clusters: input.options?.validateDestinations ? context.clusters : undefined,
  });
  return { applications, validationErrors, origins };
}

function contextOf(input: ExpandInput, engines: TemplateEngines, signal?: AbortSignal): Context {
  const { applicationSet: set, options } = input;
  const spec = mapAt(set?.spec, 'spec');
  mapAt(set.metadata, 'metadata');
  const goTemplateOptions = listAt(
    spec['goTemplateOptions'] as string[] | undefined,
    'spec.goTemplateOptions',
  );
  if (typeof set.metadata?.name !== 'string')
    throw new MusterError('invalid', 'an ApplicationSet needs a name', { where: 'metadata.name' });
  if (spec['templatePatch'] !== undefined && spec['templatePatch'] !== null)
    textAt(spec['templatePatch'], 'spec.templatePatch');
  const context: Context = {
    set,
    clusters: visible(input.clusters ?? []),
    repos: input.repos,
    external: input.external,
    plugins: input.plugins,
    resources: input.resources,
    projects: input.projects && new Set(input.projects),
    language: {
      goTemplate: spec['goTemplate'] === true,
      options: goTemplateOptions.map((option, i) => textAt(option, `spec.goTemplateOptions[${i}]`)),
      engine: engines.goTemplate,
      signal,
      output: new Output(),
    },
    yaml: engines.yaml,
    implicitLocalCluster: options?.implicitLocalCluster ?? true,
    newGitFileGlobbing: options?.newGitFileGlobbing ?? false,
    signal,
    origins: new WeakMap(),
    child: (generator, where, depth, selector) => generateChild(generator, context, where, depth, selector),
  };
  return context;
}

/** Argo CD's own namespace. */
const HOME = 'argocd';

function visible(clusters: readonly ClusterFacts[]): readonly ClusterFacts[] {
  return clusters.filter(({ namespace }) => namespace === undefined || namespace === HOME);
}

function decodeTemplate(template: ApplicationTemplate | undefined, where: string): JsonObject {
  try {
    return decodeStruct(template ?? {}, templateShape, where);
  } catch (error) {
    throw paramsError((error as Error).message, where);
  }
}

function templateFor({ template }: Generated, common: JsonObject, where: string): JsonObject {
  return template ? fillTemplate(decodeTemplate(template, where), common, templateShape) : common;
}

/** Renders the template, then the patch, for each parameter set. A set without any key takes the template raw. */
async function render(template: JsonObject, sets: Params[], context: Context): Promise<JsonObject[]> {
  if (sets.length === 0) return [];
  const { templatePatch } = context.set.spec;
  const plan = planTemplate(template, templateShape);
  const filled = sets.filter((set) => !isEmptySet(set));
  const patched = typeof templatePatch === 'string';
  const texts = patched ? [...plan.texts, templatePatch] : plan.texts;
  const rows = await renderTexts(texts, filled, context.language).catch((error: unknown) =>
    fail(error, plan),
  );
  const rawPatches =
    patched && filled.length < sets.length
      ? await renderTexts([templatePatch], [{}], context.language).catch((error: unknown) =>
          fail(error, plan, true),
        )
      : [];
  const preserve = context.set.spec.syncPolicy?.preserveResourcesOnDeletion === true;
  const patches: string[] = [];
  let next = 0;
  const applications = sets.map((set) => {
    const raw = isEmptySet(set);
    const row = raw ? [] : rows[next++]!;
    if (patched) patches.push(raw ? rawPatches[0]![0]! : row[plan.texts.length]!);
    if (raw) return template;
    const application = plan.build((slot) => row[slot]!);
    return preserve ? application : withFinalizer(application);
  });
  return patched ? applyPatches(applications, patches, context.yaml, context.signal) : applications;
}

function fail(error: unknown, plan: Plan, patchOnly = false): never {
  if (!(error instanceof TextError)) throw error;
  if (error.message.includes('unrecognized option'))
    throw renderError(error.message, 'spec.goTemplateOptions');
  if (patchOnly || error.text >= plan.texts.length)
    throw renderError(`error replacing values in templatePatch: ${error.message}`, 'spec.templatePatch');
  throw renderError(error.message, `spec.${plan.fields[error.text]}`);
}

function withFinalizer(application: JsonObject): JsonObject {
  const metadata = application['metadata'] as JsonObject;
  if (metadata['finalizers'] !== undefined) return application;
  return { ...application, metadata: { ...metadata, finalizers: [RESOURCES_FINALIZER] } };
}

/** The namespace is always the set's own: that is the boundary of sets in any namespace. */
function finish(rendered: JsonObject, namespace: string | undefined): Application {
  const { name, namespace: _, ...metadata } = rendered['metadata'] as JsonObject;
  const application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: name ?? '', ...(namespace === undefined ? {} : { namespace }), ...metadata },
    spec: rendered['spec'],
    ...(rendered['operation'] === undefined ? {} : { operation: rendered['operation'] }),
  };
  return application as unknown as Application;
}
