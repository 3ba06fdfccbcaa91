import { MusterError } from '@muster/base';
import type { Output } from './bounds.ts';
import { compileFast, type FastTemplate, renderFast } from './fasttemplate.ts';
import type { Params } from './params.ts';
import type { GoTemplateEngine, TextFailure } from './ports.ts';

/** Which template language an ApplicationSet speaks, with what it needs. */
export interface Language {
  goTemplate: boolean;
  options: string[];
  engine: GoTemplateEngine;
  signal: AbortSignal | undefined;
  output: Output;
}

export type Cell = string | TextFailure;

/** How large one call to the engine is; its limits are per call, and a signal is looked at between calls. */
const BATCH = 2000;

/** A text that cannot be rendered, before it has a reason and a field. */
export class TextError extends Error {
  readonly text: number;
  readonly set: number;
  constructor(message: string, text: number, set: number) {
    super(message);
    this.text = text;
    this.set = set;
  }
}

/** Renders the texts in order for each set, one row per set. Throws a TextError for the first failure. */
export async function renderTexts(
  texts: string[],
  sets: readonly Params[],
  language: Language,
): Promise<string[][]> {
  if (texts.length === 0 && !(language.goTemplate && language.options.length > 0)) return sets.map(() => []);
  if (!language.goTemplate) return renderFastTexts(texts, sets, language);
  const out: string[][] = [];
  while (out.length < sets.length) {
    language.signal?.throwIfAborted();
    const request = {
      texts,
      paramSets: sets.slice(out.length, out.length + BATCH),
      options: language.options,
    };
    const { rows, failure } = await language.engine.render(request, language.signal);
    for (const row of rows) out.push(counted(row as string[], out.length, language));
    if (failure) throw new TextError(failure.error, failure.text, out.length);
    if (rows.length === 0) throw new MusterError('internal', 'the template engine rendered nothing');
  }
  return out;
}

/** The row, when it is within bounds. */
function counted(row: string[], set: number, { output }: Language): string[] {
  const text = output.exceededBy(row);
  if (text !== undefined) throw new TextError(output.reason(row[text]!), text, set);
  return row;
}

function renderFastTexts(texts: string[], sets: readonly Params[], language: Language): string[][] {
  const compiled: (FastTemplate | undefined)[] = [];
  return sets.map((params, set) => {
    if (set % BATCH === 0) language.signal?.throwIfAborted();
    const row = texts.map((text, i) => {
      try {
        if (set === 0) compiled[i] = compileFast(text);
        const template = compiled[i];
        return template ? renderFast(template, params) : text;
      } catch (error) {
        throw new TextError((error as Error).message, i, set);
      }
    });
    return counted(row, set, language);
  });
}

/** Like renderTexts with a failure in place of each text that fails: goTemplate only. */
export async function renderEach(
  texts: string[],
  sets: readonly Params[],
  language: Language,
  options: string[],
): Promise<Cell[][]> {
  if (texts.length === 0) return sets.map(() => []);
  const out: Cell[][] = [];
  while (out.length < sets.length) {
    const request = { texts, paramSets: sets.slice(out.length, out.length + BATCH), options };
    const { rows, failure } = await language.engine.render(
      { ...request, independent: true },
      language.signal,
    );
    for (const row of rows) out.push(row);
    if (failure) throw new TextError(failure.error, failure.text, out.length);
    if (rows.length === 0) throw new MusterError('internal', 'the template engine rendered nothing');
  }
  return out;
}
