import { paramsError } from '../errors.ts';
import type { ExternalGenerator } from '../types.ts';
import type { GoTexts } from './texts.ts';

/** One of `filters`: all that it names must hold. */
export interface Filter {
  where: string;
  patterns: Record<string, string>;
  paths: Record<string, string[]>;
}

/** The filters of a generator. @throws ExpansionError for fields of a wrong type. */
export function filtersOf(generator: ExternalGenerator, patterns: string[], paths: string[]): Filter[] {
  const { filters = [] } = generator as { filters?: Record<string, unknown>[] | null };
  if (filters !== null && !Array.isArray(filters)) throw paramsError('this must be a list', 'filters');
  return (filters ?? []).map((given, i) => {
    const where = `filters[${i}]`;
    const filter: Filter = { where, patterns: {}, paths: {} };
    for (const field of patterns) {
      const value = given?.[field];
      if (value === undefined || value === null) continue;
      if (typeof value !== 'string') throw paramsError('this must be a text', `${where}.${field}`);
      filter.patterns[field] = value;
    }
    for (const field of paths) {
      const value = given?.[field];
      if (value === undefined || value === null) continue;
      if (!Array.isArray(value) || value.some((path) => typeof path !== 'string'))
        throw paramsError('this must be a list of texts', `${where}.${field}`);
      filter.paths[field] = value.map((path: string) => path.replace(/\/+$/, ''));
    }
    return filter;
  });
}

/** What a pattern of a filter looks at: it must match one of the values. */
export type Looks<T> = Record<string, (item: T) => readonly string[]>;

/** The items whose values all patterns of a filter match. Other patterns of the filter than those in `looks` do not count. */
export async function matching<T>(
  items: readonly T[],
  filter: Filter,
  looks: Looks<T>,
  texts: GoTexts,
  signal?: AbortSignal,
): Promise<T[]> {
  let left = [...items];
  for (const [field, pattern] of Object.entries(filter.patterns)) {
    const look = looks[field];
    if (!look) continue;
    const values = left.flatMap((item) => look(item).map((value) => ({ item, value })));
    const answers = await texts.matches(
      pattern,
      values.map(({ value }) => value),
      `${filter.where}.${field}`,
      signal,
    );
    const kept = new Set(values.filter((_, i) => answers[i]).map(({ item }) => item));
    left = left.filter((item) => kept.has(item));
  }
  return left;
}

/** The items that one of the filters takes, in their order; all of them where there is no filter. */
export async function takenByOne<T, F>(
  items: readonly T[],
  filters: readonly F[],
  take: (items: readonly T[], filter: F) => Promise<readonly T[]>,
): Promise<T[]> {
  if (filters.length === 0) return [...items];
  const taken = new Set<T>();
  for (const filter of filters) {
    // What an earlier filter took need not be asked for again.
    const rest = items.filter((item) => !taken.has(item));
    for (const item of await take(rest, filter)) taken.add(item);
  }
  return items.filter((item) => taken.has(item));
}
