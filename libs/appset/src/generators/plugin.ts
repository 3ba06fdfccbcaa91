import { type JsonObject } from '@muster/base';
import { type Context, mapAt, missingInput, textAt, within } from '../context.ts';
import { paramsError } from '../errors.ts';
import { dict, flatten, type Params, RawJson } from '../params.ts';
import type { ExternalGenerator } from '../types.ts';
import { addValues } from './values.ts';

/**
 * One set per object that the plugin answers: as it is with goTemplate, else flattened to texts. What the plugin was
 * given is added below `generator.input.parameters`, over anything of that name.
 */
export async function pluginParameters(
  generator: ExternalGenerator,
  context: Context,
  where: string,
): Promise<Params[]> {
  if (!context.plugins) throw missingInput('an answer of the plugin', where);
  const place = `${where}.configMapRef.name`;
  const name = textAt(mapAt(generator['configMapRef'], `${where}.configMapRef`)['name'], place);
  if (name === '') throw paramsError('a plugin is named here', place);
  const input = mapAt(generator['input'], `${where}.input`);
  const given = mapAt(input['parameters'], `${where}.input.parameters`);
  const request = {
    applicationSetName: context.set.metadata.name,
    input: Object.keys(given).length > 0 ? { parameters: given } : {},
  };
  const { plugins, signal, language } = context;
  const answered = await within(place, 'error listing params: ', () => plugins.call(name, request, signal));
  const sets = answered.map((object) => {
    const set = language.goTemplate ? Object.assign(dict(), object) : (flatten(object, false) as Params);
    set['generator'] = { input: { parameters: raw(given) } };
    return set;
  });
  await addValues(generator.values, sets, context, `${where}.values`);
  return sets;
}

/** The reference hands these on as the bytes that they are written in. */
function raw(given: JsonObject): Record<string, RawJson> {
  const out = dict<RawJson>();
  for (const key of Object.keys(given)) out[key] = new RawJson(given[key]!);
  return out;
}
