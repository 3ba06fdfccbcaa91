import { z } from 'zod';

/** `?limit=&after=`: at most `limit` items after the one that a cursor names. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(2000).optional(),
});
export type PageQuery = z.output<typeof PageQuery>;

/** `{items, next?}`: `next` is the `after` of the next page, absent on the last. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().optional() });
}

export interface Page<T> {
  items: T[];
  next?: string;
}
