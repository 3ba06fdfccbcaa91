import type { Json } from '@muster/base';
import { type Context, listAt, textAt } from '../context.ts';
import { isObject } from '../decode.ts';
import { paramsError } from '../errors.ts';
import { dict, type Params } from '../params.ts';
import { parseYaml } from '../yaml.ts';
import type { ListGenerator } from '../types.ts';

/** The elements, then those of elementsYaml. Without goTemplate elements hold texts only, `values` flattened. */
export async function listParameters(
  generator: ListGenerator,
  context: Context,
  where: string,
): Promise<Params[]> {
  const sets = listAt(generator.elements, `${where}.elements`).map((element, i) =>
    fromElement(element, context.language.goTemplate, `${where}.elements[${i}]`),
  );
  const text = textAt(generator.elementsYaml, `${where}.elementsYaml`);
  if (text === '') return sets;
  const place = `${where}.elementsYaml`;
  const parsed = await parseYaml(text, context, place, 'error unmarshling decoded ElementsYaml ');
  if (parsed === null) return sets;
  if (!Array.isArray(parsed))
    throw paramsError('error unmarshling decoded ElementsYaml: it is not a list', place);
  for (const element of parsed) sets.push(asSet(element, place));
  return sets;
}

function asSet(element: Json, where: string): Params {
  if (element === null) return {};
  if (!isObject(element)) throw paramsError('error unmarshling list element: it is not a map', where);
  return element;
}

function fromElement(element: Json, goTemplate: boolean, where: string): Params {
  const set = asSet(element, where);
  if (goTemplate) return set;
  const out = dict();
  for (const key of Object.keys(set)) {
    if (key === 'values') {
      const values = set['values'] as Json;
      if (!isObject(values)) throw paramsError('error parsing values map', `${where}.values`);
      for (const name of Object.keys(values))
        out[`values.${name}`] = text(values[name], `${where}.values.${name}`);
    } else out[key] = text(set[key], `${where}.${key}`);
  }
  return out;
}

/** The reference's message, without the `%!w(<nil>)` that it ends in. */
function text(value: unknown, where: string): string {
  if (typeof value !== 'string')
    throw paramsError('error parsing value as string: without goTemplate it must be a text', where);
  return value;
}
