import type { Json, JsonObject } from '@muster/base';
import { decodeStruct, isObject } from './decode.ts';
import { type ExpansionError, renderError } from './errors.ts';
import type { YamlReader } from './ports.ts';
import { applicationShape } from './schema.ts';
import { strategicMerge } from './strategic-merge.ts';

const WHERE = 'spec.templatePatch';

/** Lays one rendered templatePatch over each application: same order, new objects. Throws an ExpansionError. */
export async function applyPatches(
  applications: JsonObject[],
  patches: string[],
  yaml: YamlReader,
  signal: AbortSignal | undefined,
): Promise<JsonObject[]> {
  const parsed = await parsePatches(patches, yaml, signal);
  return applications.map((application, i) => applyPatch(application, parsed.get(patches[i]!)!, patches[i]!));
}

/** Patches that came out the same are read once. A text that starts with a brace is JSON, all others YAML. */
async function parsePatches(
  patches: string[],
  yaml: YamlReader,
  signal: AbortSignal | undefined,
): Promise<Map<string, Json>> {
  const distinct = [...new Set(patches)];
  const out = new Map<string, Json>();
  const others = distinct.filter((text) => !/^\s*\{/.test(text));
  const answers = await yaml.toJson(others, signal);
  for (const [i, text] of others.entries()) {
    const answer = answers[i]!;
    if (typeof answer !== 'string')
      throw renderError(
        `error while converting template to json ${JSON.stringify(text)}: ${answer.error}`,
        WHERE,
      );
    out.set(text, JSON.parse(answer) as Json);
  }
  for (const text of distinct) if (!out.has(text)) out.set(text, parseJson(text));
  return out;
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw invalid(text, error);
  }
}

function applyPatch(application: JsonObject, patch: Json, text: string): JsonObject {
  if (patch === null) return application;
  try {
    if (!isObject(patch))
      throw new TypeError('json: cannot unmarshal a value that is not a map into an Application');
    decodeStruct(patch, applicationShape);
  } catch (error) {
    throw invalid(text, error);
  }
  try {
    const merged = decodeStruct(strategicMerge(application, patch, applicationShape), applicationShape);
    const own = (application['spec'] as JsonObject)['project'] ?? '';
    // A patch is made of parameters, and those may not move an application into another project.
    return { ...merged, spec: { ...(merged['spec'] as JsonObject), project: own } };
  } catch (error) {
    throw renderError(
      `error while applying templatePatch template to json ${JSON.stringify(JSON.stringify(patch))}: ${(error as Error).message}`,
      WHERE,
    );
  }
}

function invalid(text: string, error: unknown): ExpansionError {
  return renderError(`invalid templatePatch ${JSON.stringify(text)}: ${(error as Error).message}`, WHERE);
}
