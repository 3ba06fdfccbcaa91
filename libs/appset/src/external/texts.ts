import { MusterError } from '@muster/base';
import type { GoTemplateEngine } from '../ports.ts';

/** Go's own regular expressions and slugs: linear in time, and equal to the reference's. */
export class GoTexts {
  readonly #engine: GoTemplateEngine;

  constructor(engine: GoTemplateEngine) {
    this.#engine = engine;
  }

  /** Whether the pattern matches somewhere in each text. @throws MusterError `invalid` for what is no pattern. */
  async matches(
    pattern: string,
    texts: readonly string[],
    where: string,
    signal?: AbortSignal,
  ): Promise<boolean[]> {
    // Compiled even where there is nothing to match: a wrong pattern is an error at once.
    const answers = await this.#run(
      '{{ mustRegexMatch .p .s }}',
      ['', ...texts].map((s) => ({ p: pattern, s })),
      where,
      signal,
    );
    return answers.slice(1).map((answer) => answer === 'true');
  }

  /** Branch names as DNS labels of at most 50 characters, cut at a word; other scripts are spelled in Latin letters. */
  async slugs(texts: readonly string[], signal?: AbortSignal): Promise<string[]> {
    return texts.length === 0 ? [] : this.#engine.slugs([...texts], signal);
  }

  async #run(
    text: string,
    paramSets: Record<string, string>[],
    where: string,
    signal?: AbortSignal,
  ): Promise<string[]> {
    const out: string[] = [];
    while (out.length < paramSets.length) {
      const request = { texts: [text], paramSets: paramSets.slice(out.length), options: [] };
      const { rows, failure } = await this.#engine.render(request, signal);
      if (failure) throw new MusterError('invalid', failure.error, { where });
      if (rows.length === 0) throw new MusterError('internal', 'no answer', { where });
      for (const [answer] of rows) out.push(answer as string);
    }
    return out;
  }
}
