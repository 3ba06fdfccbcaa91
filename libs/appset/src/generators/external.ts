import type { Context } from '../context.ts';
import { missingInput } from '../context.ts';
import { copy } from '../merge-params.ts';
import type { Params } from '../params.ts';
import type { ExternalKind } from '../ports.ts';
import type { ExternalGenerator } from '../types.ts';
import { addValues } from './values.ts';

/** A generator whose parameter sets someone else finds; its `values` are added here. */
export function externalParameters(kind: ExternalKind) {
  return async (generator: ExternalGenerator, context: Context, where: string): Promise<Params[]> => {
    if (!context.external) throw missingInput(`access to what ${kind} asks`, where);
    const { metadata } = context.set;
    const about = {
      goTemplate: context.language.goTemplate,
      namespace: metadata.namespace ?? '',
      name: metadata.name,
    };
    const sets = (await context.external.parameters(kind, generator, about, context.signal)).map(copy);
    await addValues(generator.values, sets, context, `${where}.values`);
    return sets;
  };
}
