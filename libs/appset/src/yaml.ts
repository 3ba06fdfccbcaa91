import type { Json } from '@muster/base';
import type { Context } from './context.ts';
import { paramsError } from './errors.ts';

/** Reads one YAML text as Kubernetes does; throws an ExpansionError at `where`. */
export async function parseYaml(
  text: string,
  context: Context,
  where: string,
  prefix: string,
): Promise<Json> {
  const [answer] = await context.yaml.toJson([text], context.signal);
  if (typeof answer !== 'string') throw paramsError(prefix + (answer?.error ?? 'no answer'), where);
  return JSON.parse(answer) as Json;
}
