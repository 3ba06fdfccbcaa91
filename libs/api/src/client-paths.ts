import type { PageQuery } from './paging.ts';

/** What may be left out of a request because the hub fills it in. */
export type Input<T, Defaults extends keyof T> = Omit<T, Defaults> & Partial<Pick<T, Defaults>>;
export type ListQuery<T extends { limit: number }> = Input<T, 'limit'>;
export type Paging = ListQuery<PageQuery>;

export const v1 = '/api/v1';
export const at = (...parts: string[]) => parts.map(encodeURIComponent).join('/');
