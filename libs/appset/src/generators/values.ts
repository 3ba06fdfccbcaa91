import { type Context, textsAt } from '../context.ts';
import { dict, type Params, StringMap } from '../params.ts';
import { renderTexts, TextError } from '../render.ts';
import { paramsError } from '../errors.ts';

/**
 * Adds a generator's `values` to each parameter set, in place: templates over the parameters, not over each other.
 * goTemplate gets one typed map that replaces any `values`, fasttemplate one key each.
 */
export async function addValues(
  given: unknown,
  sets: Params[],
  context: Context,
  where: string,
): Promise<void> {
  const values = textsAt(given, where);
  const names = Object.keys(values);
  if (names.length === 0 || sets.length === 0) return;
  const templated = names.filter((name) => values[name]?.includes('{{'));
  const rows = await renderTexts(
    templated.map((name) => values[name]!),
    sets,
    context.language,
  ).catch((error: unknown) => {
    if (!(error instanceof TextError)) throw error;
    throw paramsError(
      `failed to replace templated string: failed to replace templated string with rendered values: ${error.message}`,
      `${where}.${templated[error.text]}`,
    );
  });
  sets.forEach((params, i) => {
    const all = dict<string>();
    for (const name of names) all[name] = values[name] ?? '';
    for (let t = 0; t < templated.length; t++) all[templated[t]!] = rows[i]![t]!;
    if (context.language.goTemplate) params['values'] = new StringMap(all);
    else for (const name of names) params[`values.${name}`] = all[name]!;
  });
}
